#include "runtime/init_image.h"

// The assembler copies the file; as a C++ array of a megabyte it would take the compiler seconds.
asm(".section .rodata\n"
    ".balign 16\n"
    "kSandboxInitImageBegin:\n"
    ".incbin \"" SANDBOX_INIT_FILE
    "\"\n"
    "kSandboxInitImageEnd:\n"
    ".previous\n");

extern "C" {
extern const std::byte kSandboxInitImageBegin[];
extern const std::byte kSandboxInitImageEnd[];
}

namespace sandbox {

std::span<const std::byte> init_image() noexcept {
  return {kSandboxInitImageBegin, kSandboxInitImageEnd};
}

}  // namespace sandbox
