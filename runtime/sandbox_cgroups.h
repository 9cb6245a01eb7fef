#pragma once

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>

#include "isolation/sandbox_cgroup.h"
#include "runtime/cgroup_ladder.h"
#include "runtime/limit_plan.h"

namespace sandbox {

/// Makes the cgroups of the sandboxes of one Runtime, in a cgroup named `sandbox` that the caller's
/// programs share. That is looked for when the first sandbox needs it: who sets no limits touches
/// no cgroup. Safe to use from several threads at once.
class SandboxCgroups {
 public:
  /// `configured` and `may_move_host` as in RuntimeOptions.
  SandboxCgroups(std::string configured, bool may_move_host)
      : configured_(std::move(configured)), may_move_host_(may_move_host) {}

  /// Makes the cgroup of a sandbox that `launcher`, a process of ours, is to start. Sets in `plan`
  /// what holds by default. Throws Error: see find_delegated_cgroup and require_room.
  SandboxCgroup make(LimitPlan& plan, const std::string& id, pid_t launcher);

 private:
  struct Base {
    Cgroup group;
    bool holds_launcher = false;
    pid_t adopted = 0;
  };
  Base& base(const LimitPlan& plan, pid_t launcher);
  Base open_base(const LimitPlan& plan, pid_t launcher) const;

  std::string configured_;
  bool may_move_host_;
  std::mutex mutex_;
  std::optional<Base> base_;
};

}  // namespace sandbox
