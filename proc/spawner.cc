#include "proc/spawner.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "proc/exec_child.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kPaused = "the sandbox is paused: resume it first";

// execve(2) takes char* for historical reasons and changes nothing.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

// No signal may reach the child while it runs with our memory.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    check(::sigprocmask(SIG_SETMASK, &all, &old_), "sigprocmask");
  }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;
  ~BlockSignals() { ::sigprocmask(SIG_SETMASK, &old_, nullptr); }

 private:
  sigset_t old_{};
};

// A command inside may have put a link to /proc/self/fd/N there. For us, who follow it, that is a
// descriptor of init, such as the procfs without masks (CVE-2024-21626).
UniqueFd open_cwd(const std::string& path) {
  const int cwd = openat2(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY, RESOLVE_NO_MAGICLINKS);
  if (cwd >= 0) return UniqueFd(cwd);
  throw Error(errno, "open", path, "it is to be the working directory, inside the sandbox");
}

// Programs with a '/' are relative to the command's directory, which is not ours.
std::string_view explain(const SpawnRequest& request, int cwd, const ChildFailure& failure) {
  if (failure.error == EBUSY) return kPaused;
  if (failure.error == ECANCELED) {
    return "a process in the sandbox stops every new command with SIGSTOP before it begins";
  }
  if (std::string_view(failure.call) != "execve") return {};
  if (failure.error == ENOENT) {
    for (const std::string& program : request.programs) {
      if (::faccessat(cwd, program.c_str(), F_OK, 0) == 0) {
        return "the file exists, but the interpreter it names (its #! line or ELF loader) does not";
      }
    }
  }
  if (failure.error == ENOEXEC) return "neither an ELF program of this machine nor a #! script";
  return {};
}

struct Child {
  const ChildPlan& plan;
  ChildFailure& failure;
};

int run_child(void* child) {
  const auto* const start = static_cast<const Child*>(child);
  exec_child(start->plan, start->failure);
}

// SIGSTOP cannot be blocked, and every process inside may send it to a command that has not begun.
bool was_stopped(pid_t child) noexcept {
  siginfo_t info{};
  const int result = ::waitid(P_PID, static_cast<id_t>(child), &info, WSTOPPED | WNOHANG);
  return result == 0 && info.si_pid == child;
}

void refuse_when_frozen(const PayloadCgroup* cgroup) {
  if (cgroup == nullptr || !cgroup->frozen()) return;
  throw Error(EBUSY, "clone3", "sandbox", kPaused);
}

// 0, or why the child had to be killed: it was frozen (EBUSY) before it began, or stopped again and
// again (ECANCELED).
int wait_for_memory(const std::atomic<pid_t>& in_use, pid_t child,
                    const PayloadCgroup* cgroup) noexcept {
  constexpr timespec kRound{.tv_sec = 0, .tv_nsec = 20'000'000};
  constexpr int kPatience = 25;
  int stops = 0;
  int error = 0;
  while (const pid_t value = in_use.load()) {
    ::syscall(SYS_futex, &in_use, FUTEX_WAIT, value, &kRound, nullptr, 0);
    if (cgroup != nullptr && cgroup->frozen()) {
      ::kill(child, SIGKILL);
      error = EBUSY;
    }
    // Asked again behind it: a program that stops itself is none of our business.
    if (!was_stopped(child) || in_use.load() == 0) continue;
    if (++stops >= kPatience) error = ECANCELED;
    ::kill(child, error == 0 ? SIGCONT : SIGKILL);
  }
  return error;
}

pid_t clone_child(std::span<std::byte> stack, Child& start, std::atomic<pid_t>& in_use) {
  constexpr int kFlags = CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD;
  return check(
      ::clone(run_child, stack.data() + stack.size(), kFlags, &start, nullptr, nullptr, &in_use),
      "clone");
}

// Born in the cgroup: no instruction of it runs outside of its limits, and being born costs no
// grace period of RCU as moving does.
pid_t clone_child_into(int cgroup, std::span<std::byte> stack, Child& start,
                       std::atomic<pid_t>& in_use) {
  clone_args args{};
  args.flags = CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_INTO_CGROUP;
  args.child_tid = reinterpret_cast<uint64_t>(&in_use);
  args.exit_signal = SIGCHLD;
  args.stack = reinterpret_cast<uint64_t>(stack.data());
  args.stack_size = stack.size();
  args.cgroup = static_cast<uint64_t>(cgroup);
  return check(clone3_and_run(args, run_child, &start), "clone3", "CLONE_INTO_CGROUP");
}

// As vfork(2): the child runs in our memory until it has executed a program or ended. vfork itself
// would leave init asleep as long as somebody keeps the child stopped, with all its clocks.
pid_t clone_and_exec(const ChildPlan& plan, const PayloadCgroup* cgroup, ChildFailure& failure) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): 64 KiB of zeros for each command.
  alignas(16) std::array<std::byte, 65536> stack;
  Child start{plan, failure};
  // The kernel clears it, and wakes us, when the child lets go of the memory: set_tid_address(2).
  std::atomic<pid_t> in_use{1};
  const pid_t pid = cgroup == nullptr ? clone_child(stack, start, in_use)
                                      : clone_child_into(cgroup->directory(), stack, start, in_use);
  if (const int error = wait_for_memory(in_use, pid, cgroup); error != 0) {
    failure = {.call = "clone", .error = error};
  }
  return pid;
}

}  // namespace

Spawner Spawner::from_within() const noexcept {
  Means means = means_;
  means.cgroup = nullptr;
  return Spawner(means);
}

pid_t Spawner::spawn(const SpawnRequest& request, const Stdio& stdio, uint64_t tag) const {
  return spawn_in(open_cwd(request.cwd).get(), request, stdio, tag);
}

pid_t Spawner::spawn_in(int cwd, const SpawnRequest& request, const Stdio& stdio,
                        uint64_t tag) const {
  refuse_when_frozen(means_.cgroup);
  const std::vector<char*> argv = pointers(request.argv);
  const std::vector<char*> envp = pointers(request.env);
  const std::vector<char*> programs = pointers(request.programs);
  const ChildPlan plan{.argv = argv.data(),
                       .envp = envp.data(),
                       .programs = programs.data(),
                       .stdin_fd = stdio.in.get(),
                       .stdout_fd = stdio.out.get(),
                       .stderr_fd = stdio.err.get(),
                       .has_terminal = request.terminal.has_value(),
                       .cwd_fd = cwd,
                       .rlimits = means_.rlimits,
                       .tag = tag,
                       .filter = means_.command_filter,
                       .change_ids = means_.can_change_ids,
                       .uid = request.uid,
                       .gid = request.gid,
                       .groups = request.groups};
  ChildFailure failure;
  pid_t pid = -1;
  {
    const BlockSignals blocked;
    pid = clone_and_exec(plan, means_.cgroup, failure);
  }
  if (failure.call == nullptr) return pid;
  ::waitpid(pid, nullptr, 0);
  const bool is_cwd = std::string_view(failure.call) == "fchdir";
  throw Error(failure.error, failure.call, is_cwd ? request.cwd : request.argv.front(),
              explain(request, cwd, failure));
}

}  // namespace sandbox
