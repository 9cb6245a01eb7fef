#include "runtime/own_cgroup.h"

#include <algorithm>

namespace sandbox {

OwnCgroup OwnCgroup::parse(std::string_view proc_cgroup) {
  OwnCgroup own;
  while (!proc_cgroup.empty()) {
    const std::string_view line = proc_cgroup.substr(0, proc_cgroup.find('\n'));
    proc_cgroup.remove_prefix(std::min(proc_cgroup.size(), line.size() + 1));
    if (line.starts_with("0::")) {
      own.path = line.substr(3);
    } else if (!line.empty()) {
      own.version_1 = true;
    }
  }
  return own;
}

}  // namespace sandbox
