#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "isolation/cgroup.h"

namespace sandbox {

/// What decides where cgroups of sandboxes may be made.
struct CgroupSituation {
  std::string mount = "/sys/fs/cgroup";
  std::string self = {};        ///< Text of /proc/self/cgroup.
  std::string configured = {};  ///< RuntimeOptions::cgroup; may be empty.
  bool may_move_host = false;
  bool systemd = false;  ///< systemd is PID 1 of the machine.
  pid_t launcher = 0;
  /// start_delegated_scope.
  std::function<std::string(pid_t)> start_scope = {};

  /// That of this process.
  static CgroupSituation now(std::string configured, bool may_move_host, pid_t launcher);
};

/// A cgroup below which we may make others and give them controllers.
struct DelegatedCgroup {
  Cgroup above;
  /// The launcher was born below `above` and so may start processes anywhere there. Else it has to
  /// be moved first, out of `above` itself for one, where no process may be.
  bool holds_launcher = false;
};

/// Takes the first that is to be had: the configured one; the one above ours, when we were started
/// in a leaf of a subtree that is delegated to us; ours, with consent to leave it for a leaf and
/// nobody else in it; a new scope of systemd. The host application is not moved without consent.
///
/// `wanted` are the controllers that the limits need. Throws Error with EOPNOTSUPP: on a machine
/// with version 1, where there is none of these, or without a controller. The hint is the remedy.
DelegatedCgroup find_delegated_cgroup(const CgroupSituation& situation,
                                      const std::vector<std::string_view>& wanted);

/// Throws Error with EOPNOTSUPP when `group` lacks one of `wanted`.
void require_controllers(const Cgroup& group, const std::vector<std::string_view>& wanted);

/// What makes `controllers` available to users whose systemd keeps them: a drop-in, as one line.
std::string delegation_remedy(const std::string& controllers);

}  // namespace sandbox
