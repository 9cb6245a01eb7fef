#include "runtime/base/syscalls.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/raw_syscall.h"

namespace sandbox {

pid_t clone3(clone_args& args) noexcept {
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof(args)));
}

pid_t clone3_and_run(clone_args& args, int (*run)(void*), void* argument) noexcept {
  long result = SYS_clone3;
  // The child comes back from the system call on its own, empty stack: nothing of this function
  // may run there any more.
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%rdx, %%rdi\n\t"
      "call *%%rbx\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(&args), "S"(sizeof(args)), "b"(run), "d"(argument)
      : "rcx", "r11", "memory");
  if (result >= 0) return static_cast<pid_t>(result);
  errno = static_cast<int>(-result);
  return -1;
}

long raw_syscall(long number, long a, long b, long c, long d, long e) noexcept {
  long result = number;
  register long fourth asm("r10") = d;
  register long fifth asm("r8") = e;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
               : "rcx", "r11", "memory");
  return result;
}

int openat2(int dir, const char* path, uint64_t flags, uint64_t resolve, mode_t mode) noexcept {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  // The kernel gives EAGAIN when a rename or mount raced with "..": openat2(2). A payload that
  // renames without end must not keep us here for ever.
  constexpr int kAttempts = 64;
  int fd = -1;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    fd = static_cast<int>(::syscall(SYS_openat2, dir, path, &how, sizeof(how)));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return fd;
}

int pivot_root(const char* new_root, const char* put_old) noexcept {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, put_old));
}

int join_new_session_keyring() noexcept {
  return static_cast<int>(::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr));
}

int pidfd_open(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

int pidfd_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

}  // namespace sandbox
