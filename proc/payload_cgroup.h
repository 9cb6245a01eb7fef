#pragma once

#include <cstdint>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// What PID 1 has of the cgroup of its sandbox: where commands are born, and counters that say
/// which limit struck. No path leads there from inside, so all are descriptors that the host has
/// opened.
class PayloadCgroup {
 public:
  static constexpr std::size_t kDescriptors = 7;

  /// None: the sandbox has no cgroup.
  PayloadCgroup() = default;
  /// Takes what SandboxCgroup::descriptors_for_init gives: the cgroup (whose lock this keeps), the
  /// one of commands, memory.events, memory.peak, pids.events, pids.peak, and for writing
  /// cgroup.freeze. Throws Error with EBADMSG for another number of them.
  explicit PayloadCgroup(std::vector<UniqueFd> descriptors);

  bool exists() const noexcept { return !descriptors_.empty(); }
  /// For CLONE_INTO_CGROUP; -1 when there is none.
  int directory() const noexcept { return at(1); }
  /// True when commands are frozen, in which case a new one would not begin.
  bool frozen() const noexcept;
  /// Freezes them, without waiting for it. False when that is not possible.
  bool freeze() const noexcept;

  uint64_t oom_kills() const noexcept;
  uint64_t refused_forks() const noexcept;
  uint64_t peak_memory_bytes() const noexcept;  ///< 0 before Linux 5.19.
  uint64_t peak_pids() const noexcept;          ///< PID 1 not counted. 0 before Linux 6.11.

 private:
  int at(std::size_t index) const noexcept { return exists() ? descriptors_[index].get() : -1; }

  std::vector<UniqueFd> descriptors_;
};

}  // namespace sandbox
