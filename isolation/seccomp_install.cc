#include "isolation/seccomp_install.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "sandbox/error.h"

namespace sandbox {

int try_install_seccomp(std::span<const std::byte> filter) noexcept {
  // The bytes may have come through a socket, so nothing is assumed about their length.
  const std::size_t count = filter.size() / sizeof(sock_filter);
  if (filter.size() % sizeof(sock_filter) != 0 || count == 0 || count > BPF_MAXINSNS) return EINVAL;

  // The kernel copies the program byte by byte: neither alignment nor a writable copy is needed.
  sock_fprog program{};
  program.len = static_cast<unsigned short>(count);
  program.filter = reinterpret_cast<sock_filter*>(const_cast<std::byte*>(filter.data()));
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) < 0) return errno;
  return 0;
}

void install_seccomp(std::span<const std::byte> filter) {
  if (const int error = try_install_seccomp(filter); error != 0) {
    throw Error(error, "seccomp", "SECCOMP_SET_MODE_FILTER",
                error == EACCES ? "set no_new_privs before the filter" : "");
  }
}

}  // namespace sandbox
