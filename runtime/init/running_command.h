#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "proc/cpu_clock.h"
#include "proc/spawn_request.h"
#include "proc/status_message.h"
#include "proc/verdict.h"
#include "runtime/base/message_socket.h"
#include "sandbox/command_info.h"
#include "sandbox/outcome.h"

namespace sandbox {

/// The CPU time of a command's tree against a limit.
class CpuLimit {
 public:
  using Clock = std::chrono::steady_clock;

  CpuLimit(uint64_t tree, uint64_t limit_ms) : clock_(tree), limit_(limit_ms) {}

  /// PID 1 has reaped a process of the tree.
  void charge(const rusage& used) noexcept;
  /// Looks, in the procfs open as `proc`. True when the time is used up; else next_look() is later.
  bool is_used_up(int proc);
  Clock::time_point next_look() const noexcept { return next_look_; }

 private:
  CpuClock clock_;
  std::chrono::milliseconds limit_;
  Clock::time_point next_look_;
};

/// A command that PID 1 has started and not reaped.
struct RunningCommand {
  using Clock = std::chrono::steady_clock;

  /// With the limits of `request`, from now on.
  RunningCommand(const SpawnRequest& request, uint64_t tree, const Evidence& before_it);

  MessageSocket status = {};  ///< None where its output goes through PID 1: KeptCommands.
  uint64_t tag = 0;           ///< That process_tree.h knows its processes by.
  Clock::time_point started = Clock::now();
  Clock::time_point deadline = Clock::time_point::max();
  std::optional<std::chrono::milliseconds> idle_limit = {};
  std::optional<CpuLimit> cpu_limit = {};
  std::optional<Outcome> verdict = {};  ///< Why we killed it.
  CommandInfo info = {};
  bool detached = false;  ///< Runs on without anybody at the other end of `status`.
  bool killed = false;    ///< By the host: nobody need ask why.
  Evidence before;

  std::chrono::milliseconds age() const;
};

/// What is told of its end, by wait4(2) and `after`.
Ended end_of(const RunningCommand& command, int wait_status, const rusage& used,
             const KnownLimits& limits, const Evidence& after);

}  // namespace sandbox
