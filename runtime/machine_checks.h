#pragma once

#include <string>
#include <string_view>

#include "runtime/sysctls.h"
#include "sandbox/doctor.h"

namespace sandbox {

/// Checks that read what the machine says about itself and try nothing.

/// `release` as of uname(2): floor 5.15, recommended 6.6 (overlay in memory), best 6.12.
Probe check_kernel(std::string_view release);

/// user.max_*_namespaces: all must be above zero.
Probe check_namespace_limits(const Sysctls& sysctls);

/// Subordinate ids of the caller and newuidmap(1), newgidmap(1): for Ids::Range only.
Probe check_subordinate_ids();

/// `self` is /proc/self/cgroup, `root` the mount point of the cgroup hierarchies, and `run` /run,
/// where a systemd that could be asked for a scope shows.
Probe check_cgroups(std::string_view self, const std::string& root, const std::string& run);

/// fs.inotify.*: what watching files may use.
Probe check_inotify(const Sysctls& sysctls);

/// `pattern` is /proc/sys/kernel/core_pattern.
Probe check_core_pattern(std::string_view pattern);

}  // namespace sandbox
