#include "runtime/base/sealed_memfd.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

#ifndef MFD_EXEC  // Linux 6.3; Debian 12 has the headers of 6.1.
#define MFD_EXEC 0x0010U
#endif

namespace sandbox {
namespace {

constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

int create(const char* name, Executable executable) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (executable == Executable::No) return ::memfd_create(name, flags);
  const int fd = ::memfd_create(name, flags | MFD_EXEC);
  // Before 6.3 the flag is unknown and every memfd is executable.
  return fd < 0 && errno == EINVAL ? ::memfd_create(name, flags) : fd;
}

}  // namespace

UniqueFd make_sealed_memfd(const char* name, std::span<const std::byte> content,
                           Executable executable) {
  UniqueFd fd{check(create(name, executable), "memfd_create", name)};
  write_all(fd.get(), content, name);
  check(::fcntl(fd.get(), F_ADD_SEALS, kSeals), "fcntl(F_ADD_SEALS)", name);
  return fd;
}

bool is_sealed(int fd) noexcept {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

}  // namespace sandbox
