#include "runtime/init_image.h"

#include <charconv>

// The assembler copies the file; as a C++ array of a megabyte it would take the compiler seconds.
asm(".section .rodata\n"
    ".balign 16\n"
    "kSandboxInitImageBegin:\n"
    ".incbin \"" SANDBOX_INIT_FILE
    "\"\n"
    "kSandboxInitImageEnd:\n"
    "kSandboxInitDigest:\n"
    ".incbin \"" SANDBOX_INIT_FILE
    ".sha256\"\n"
    ".previous\n");

extern "C" {
extern const std::byte kSandboxInitImageBegin[];
extern const std::byte kSandboxInitImageEnd[];
extern const char kSandboxInitDigest[];  // 64 hexadecimal digits, and a file name.
}

namespace sandbox {

std::span<const std::byte> init_image() noexcept {
  return {kSandboxInitImageBegin, kSandboxInitImageEnd};
}

uint64_t init_fingerprint() noexcept {
  constexpr int kDigits = 16;
  uint64_t number = 0;
  std::from_chars(kSandboxInitDigest, kSandboxInitDigest + kDigits, number, 16);
  return number;
}

}  // namespace sandbox
