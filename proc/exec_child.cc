#include "proc/exec_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "isolation/command_capabilities.h"
#include "isolation/seccomp_install.h"

namespace sandbox {
namespace {

bool wire_up_stdio(const ChildPlan& plan) noexcept {
  return ::dup2(plan.stdin_fd, 0) >= 0 && ::dup2(plan.stdout_fd, 1) >= 0 &&
         ::dup2(plan.stderr_fd, 2) >= 0;
}

bool set_limit(__rlimit_resource_t resource, uint64_t value) noexcept {
  const rlimit limit{value, value};
  return ::setrlimit(resource, &limit) == 0;
}

bool set_limits(const CommandRlimits& limits) noexcept {
  if (limits.open_files != 0 && !set_limit(RLIMIT_NOFILE, limits.open_files)) return false;
  return limits.file_bytes == 0 || set_limit(RLIMIT_FSIZE, limits.file_bytes);
}

// Raw calls: glibc's wrappers take locks to change all threads, of which there are none here.
bool change_ids(const ChildPlan& plan) noexcept {
  if (!plan.change_ids) return true;
  return ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) == 0 &&
         ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) == 0;
}

// Init keeps some for range maps, where root inside has a few of its own. Null or the call that
// failed.
const char* drop_capabilities(const ChildPlan& plan) noexcept {
  if (!plan.change_ids) return nullptr;
  return try_drop_capabilities(plan.uid == 0 ? kRootCommandCapabilities : kNoCapabilities);
}

// As execvp(3): goes on where a file is missing, and remembers one that could not be executed.
int exec_first(const ChildPlan& plan) noexcept {
  int error = ENOENT;
  for (char* const* program = plan.programs; *program != nullptr; ++program) {
    ::execve(*program, plan.argv, plan.envp);
    if (errno == EACCES) {
      error = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return errno;
    }
  }
  return error;
}

[[noreturn]] void fail(ChildFailure& failure, const char* call, int error) noexcept {
  failure.call = call;
  failure.error = error;
  ::_exit(127);
}

}  // namespace

void exec_child(const ChildPlan& plan, ChildFailure& failure) noexcept {
  if (::setsid() < 0) fail(failure, "setsid", errno);
  if (!wire_up_stdio(plan)) fail(failure, "dup2", errno);
  // The session is new and has none, so this needs no privilege: tty_ioctl(4).
  if (plan.has_terminal && ::ioctl(0, TIOCSCTTY, 0) != 0) fail(failure, "ioctl(TIOCSCTTY)", errno);
  if (!set_limits(plan.rlimits)) fail(failure, "setrlimit", errno);
  if (!set_limit(RLIMIT_LOCKS, plan.tag)) fail(failure, "setrlimit(RLIMIT_LOCKS)", errno);
  if (!change_ids(plan)) fail(failure, "setresuid", errno);
  // After the ids: it gives up what they were changed with.
  if (const char* const call = drop_capabilities(plan)) fail(failure, call, errno);
  if (::fchdir(plan.cwd_fd) != 0) fail(failure, "fchdir", errno);
  if (::close_range(3, ~0U, 0) != 0) fail(failure, "close_range", errno);
  sigset_t none;
  ::sigemptyset(&none);
  // Last: a signal that arrives earlier would run with init's memory.
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) fail(failure, "sigprocmask", errno);
  if (const int error = try_install_seccomp(plan.filter); error != 0) {
    fail(failure, "seccomp", error);
  }
  fail(failure, "execve", exec_first(plan));
}

}  // namespace sandbox
