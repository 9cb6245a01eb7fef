#pragma once

#include <string>
#include <string_view>

namespace sandbox {

/// Where a process is, by its /proc/PID/cgroup: cgroups(7).
struct OwnCgroup {
  std::string path;  ///< In the hierarchy of version 2; empty when it is in none.
  bool version_1 = false;

  static OwnCgroup parse(std::string_view proc_cgroup);
};

}  // namespace sandbox
