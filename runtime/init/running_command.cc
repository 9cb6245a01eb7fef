#include "runtime/init/running_command.h"

#include <sys/wait.h>

#include <algorithm>

#include "runtime/base/deadline.h"

namespace sandbox {
namespace {

std::chrono::microseconds to_duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

Usage to_usage(const rusage& used, std::chrono::steady_clock::duration wall) {
  Usage usage;
  usage.wall = std::chrono::duration_cast<std::chrono::microseconds>(wall);
  usage.user = to_duration(used.ru_utime);
  usage.system = to_duration(used.ru_stime);
  usage.peak_memory_bytes = static_cast<uint64_t>(used.ru_maxrss) * 1024;
  usage.voluntary_switches = static_cast<uint64_t>(used.ru_nvcsw);
  usage.involuntary_switches = static_cast<uint64_t>(used.ru_nivcsw);
  constexpr uint64_t kBlock = 512;
  usage.read_bytes = static_cast<uint64_t>(used.ru_inblock) * kBlock;
  usage.written_bytes = static_cast<uint64_t>(used.ru_oublock) * kBlock;
  return usage;
}

Outcome to_outcome(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return Signaled{.signal = WTERMSIG(wait_status), .core_dumped = WCOREDUMP(wait_status) != 0};
  }
  return Exited{WEXITSTATUS(wait_status)};
}

// Whatever still runs in the sandbox is a child of ours, of its own or because its parent ended.
bool has_children() {
  siginfo_t ignored;
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

Outcome judge_end(const RunningCommand& command, int wait_status, const KnownLimits& limits,
                  const Evidence& after) {
  if (command.verdict) return *command.verdict;
  const Outcome plain = to_outcome(wait_status);
  return command.killed ? plain : judge(plain, limits, command.before, after);
}

}  // namespace

void CpuLimit::charge(const rusage& used) noexcept {
  clock_.add_reaped(to_duration(used.ru_utime) + to_duration(used.ru_stime));
}

// Often enough to be on time, seldom enough that looking is a small part of our own time.
bool CpuLimit::is_used_up(int proc) {
  constexpr std::chrono::microseconds kShortest{10'000};
  constexpr std::chrono::microseconds kLongest{100'000};
  constexpr int kOurShare = 10;
  const auto begin = Clock::now();
  clock_.look(proc);
  if (clock_.used() >= limit_) return true;
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(limit_ - clock_.used());
  const auto cost = Clock::now() - begin;
  next_look_ = Clock::now() + std::max<Clock::duration>(std::clamp(left / 4, kShortest, kLongest),
                                                        cost * kOurShare);
  return false;
}

RunningCommand::RunningCommand(const SpawnRequest& request, uint64_t tree,
                               const Evidence& before_it)
    : tag(tree), before(before_it) {
  if (request.timeout_ms != 0) {
    deadline = deadline_after(std::chrono::milliseconds(request.timeout_ms));
  }
  if (request.idle_ms != 0) idle_limit = std::chrono::milliseconds(request.idle_ms);
  if (request.cpu_ms != 0) cpu_limit.emplace(tree, request.cpu_ms);
}

std::chrono::milliseconds RunningCommand::age() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started);
}

Ended end_of(const RunningCommand& command, int wait_status, const rusage& used,
             const KnownLimits& limits, const Evidence& after) {
  Usage usage = to_usage(used, RunningCommand::Clock::now() - command.started);
  add_to(usage, command.before, after);
  return {.outcome = judge_end(command, wait_status, limits, after),
          .usage = usage,
          .left_daemons = has_children()};
}

}  // namespace sandbox
