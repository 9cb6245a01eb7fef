#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fs/scratch.h"
#include "isolation/sandbox_cgroup.h"
#include "proc/command_rlimits.h"
#include "proc/verdict.h"
#include "sandbox/limits.h"

namespace sandbox {

/// Limits as the parts of the system that enforce them want them.
struct LimitPlan {
  bool needs_cgroup = false;
  /// Without these the sandbox must not start: "memory", "pids", "cpu", "io".
  std::vector<std::string_view> controllers;
  CgroupLimits cgroup;
  ScratchSize scratch;  ///< Bytes 0: the tmpfs has no limit of its own.
  CommandRlimits rlimits;
  KnownLimits known;
};

/// Checks each number by itself. `box_directory` is where the changes are kept; empty when that is
/// memory. Throws Error: EINVAL with the range that is possible, EOPNOTSUPP for a limit of the disk
/// where the kernel has no means to hold it.
LimitPlan plan_limits(const Limits& limits, const std::string& box_directory);

/// Throws Error with EINVAL when `above`, or a cgroup further up, allows less: the limit would not
/// strike where it says.
void require_room(const CgroupLimits& limits, const Cgroup& above);

}  // namespace sandbox
