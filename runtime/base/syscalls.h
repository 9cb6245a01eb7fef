#pragma once

#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/types.h>

#include <cstdint>

namespace sandbox {

/// System calls without a wrapper in glibc 2.36. They behave like wrappers: -1 and errno.

/// clone3(2): returns 0 in the child, which runs on a copy of the caller's stack.
pid_t clone3(clone_args& args) noexcept;

/// clone3(2) with a stack in `args`, aligned to 16 bytes: the child calls `run(argument)`, which
/// must not return. What clone(2) of glibc does, for which clone3 has no wrapper.
pid_t clone3_and_run(clone_args& args, int (*run)(void*), void* argument) noexcept;

/// openat2(2), with the EAGAIN of a concurrent rename retried a bounded number of times.
int openat2(int dir, const char* path, uint64_t flags, uint64_t resolve, mode_t mode = 0) noexcept;

/// pivot_root(2).
int pivot_root(const char* new_root, const char* put_old) noexcept;

/// pidfd_open(2) and pidfd_send_signal(2): glibc 2.36 declares them without C linkage.
int pidfd_open(pid_t pid) noexcept;
int pidfd_send_signal(int pidfd, int signal) noexcept;

/// keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL): a new anonymous session keyring.
int join_new_session_keyring() noexcept;

}  // namespace sandbox
