#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>

namespace sandbox {

/// The CPU time of a command and all that it has started, without a cgroup.
///
/// Counted are the living processes of the tree with the children that they have waited for, and
/// those that PID 1 reaped because their parent had ended. A process whose parent ignores SIGCHLD
/// leaves its time nowhere when it ends: it counts as it was last seen, and what was never seen at
/// all is estimated from how often a new process was found running. Estimates count half, so that
/// nobody is charged for time that was not used; who hides all of it gets twice the time.
///
/// PID 1 of the namespace only. Times of the kernel are in ticks of 10 ms a process: proc(5).
class CpuClock {
 public:
  explicit CpuClock(uint64_t tree) noexcept : tree_(tree) {}

  /// Looks at the tree in the procfs open as `proc`.
  void look(int proc);
  /// PID 1 has reaped a process of the tree that had used so much, with its children.
  void add_reaped(std::chrono::microseconds used) noexcept { reaped_ += used; }

  /// As of the last look.
  std::chrono::microseconds used() const noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  struct Times {
    uint64_t born = 0;  // With the pid, the name of a process.
    std::chrono::microseconds own{0};
    std::chrono::microseconds children{0};  // That it has waited for.
  };

  uint64_t tree_;
  std::map<pid_t, Times> seen_;
  Clock::time_point looked_ = Clock::now();
  std::chrono::microseconds living_{0};
  std::chrono::microseconds reaped_{0};
  std::chrono::microseconds reaped_before_{0};  // At the last look.
  std::chrono::microseconds lost_{0};
  std::chrono::microseconds estimate_{0};
};

}  // namespace sandbox
