#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace sandbox {

/// What a sandbox uses now and has used since it was made. Nothing where that is not counted: all
/// but `disk` take a cgroup of its own (Limits), and there the controller in question.
struct SandboxStats {
  bool paused = false;
  std::optional<uint64_t> memory_bytes;
  std::optional<uint64_t> memory_peak_bytes;  ///< From Linux 5.19 on.
  std::optional<uint64_t> memory_limit_bytes;
  std::optional<uint64_t> pids;  ///< Processes and threads, PID 1 not counted.
  std::optional<uint64_t> pids_limit;
  std::optional<std::chrono::microseconds> cpu_user;
  std::optional<std::chrono::microseconds> cpu_system;
  std::optional<std::chrono::microseconds> cpu_throttled;  ///< Waited for the quota.
  /// From and to disks; only with a limit of their speed.
  std::optional<uint64_t> disk_read_bytes;
  std::optional<uint64_t> disk_written_bytes;
  uint64_t oom_kills = 0;
  uint64_t refused_forks = 0;
  std::optional<uint64_t> disk_bytes;  ///< Written; only with a limit of its own.
  std::optional<uint64_t> disk_limit_bytes;
};

}  // namespace sandbox
