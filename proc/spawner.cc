#include "proc/spawner.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "proc/exec_child.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

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

// Programs with a '/' are relative to the command's directory, which is not ours.
std::string_view explain(const SpawnRequest& request, int cwd, const ChildFailure& failure) {
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

// Not inlined: the child of vfork runs on this stack frame, and must not share it with more.
[[gnu::noinline]] pid_t vfork_and_exec(const ChildPlan& plan, ChildFailure& failure) {
  const pid_t pid = ::vfork();
  if (pid == 0) exec_child(plan, failure);
  // The child wrote into `failure`; the compiler sees only that a function that never returns may.
  asm volatile("" : "+m"(failure));
  return pid;
}

}  // namespace

pid_t Spawner::spawn(const SpawnRequest& request, const Stdio& stdio, uint64_t tag) const {
  const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const UniqueFd cwd{check(::open(request.cwd.c_str(), flags), "open", request.cwd)};
  const std::vector<char*> argv = pointers(request.argv);
  const std::vector<char*> envp = pointers(request.env);
  const std::vector<char*> programs = pointers(request.programs);
  const ChildPlan plan{.argv = argv.data(),
                       .envp = envp.data(),
                       .programs = programs.data(),
                       .stdin_fd = stdio.in.get(),
                       .stdout_fd = stdio.out.get(),
                       .stderr_fd = stdio.err.get(),
                       .cwd_fd = cwd.get(),
                       .tag = tag,
                       .filter = command_filter_,
                       .change_ids = can_change_ids_,
                       .uid = request.uid,
                       .gid = request.gid,
                       .groups = request.groups};
  ChildFailure failure;
  pid_t pid = -1;
  {
    const BlockSignals blocked;
    pid = check(vfork_and_exec(plan, failure), "vfork");
  }
  if (failure.call == nullptr) return pid;
  ::waitpid(pid, nullptr, 0);
  const bool is_exec = std::string_view(failure.call) == "execve";
  throw Error(failure.error, failure.call, is_exec ? request.argv.front() : request.cwd,
              explain(request, cwd.get(), failure));
}

}  // namespace sandbox
