#include "runtime/init_image.h"

// The assembler copies the file; as a C++ array of a megabyte it would take the compiler seconds.
asm(".section .rodata\n"
    ".balign 16\n"
    "sandbox_init_image_begin:\n"
    ".incbin \"" SANDBOX_INIT_FILE
    "\"\n"
    "sandbox_init_image_end:\n"
    ".previous\n");

extern "C" {
extern const std::byte sandbox_init_image_begin[];
extern const std::byte sandbox_init_image_end[];
}

namespace sandbox {

std::span<const std::byte> init_image() noexcept {
  return {sandbox_init_image_begin, sandbox_init_image_end};
}

}  // namespace sandbox
