#pragma once

#include <cstdint>

#include "proc/payload_cgroup.h"
#include "sandbox/outcome.h"

namespace sandbox {

/// The limits of a sandbox that PID 1 has to name when they strike. 0: there is none.
struct KnownLimits {
  uint64_t memory_bytes = 0;
  uint64_t pids = 0;
  uint64_t disk_bytes = 0;
};

/// What counts as evidence, at one moment.
struct Evidence {
  uint64_t oom_kills = 0;
  uint64_t refused_forks = 0;
  uint64_t peak_memory_bytes = 0;
  uint64_t peak_pids = 0;
  bool disk_full = false;  ///< No block or no inode of the sized tmpfs was left.

  static Evidence now(const PayloadCgroup& cgroup, const KnownLimits& limits) noexcept;
};

/// Adds to `usage` what happened from `before` to `after`.
void add_to(Usage& usage, const Evidence& before, const Evidence& after) noexcept;

/// How a command ended, which by wait4(2) ended with `plain`, in view of what was seen when it
/// started and now. A limit is named only when it struck in that time *and* the command failed in
/// the way that limit makes commands fail.
Outcome judge(const Outcome& plain, const KnownLimits& limits, const Evidence& before,
              const Evidence& after);

}  // namespace sandbox
