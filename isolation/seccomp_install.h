#pragma once

#include <cstddef>
#include <span>

namespace sandbox {

/// Adds `filter`, an array of struct sock_filter, to the calling thread: seccomp(2).
///
/// For a single-threaded program with no_new_privs set; there is no way back, and children and
/// execve inherit it. Throws Error: EINVAL when the length is no multiple of 8 or is not 1 to 4096
/// instructions, or the kernel's verifier refuses it; EACCES without no_new_privs.
void install_seccomp(std::span<const std::byte> filter);

/// The same, for the child between vfork and execve: no exception; 0 or the errno.
int try_install_seccomp(std::span<const std::byte> filter) noexcept;

}  // namespace sandbox
