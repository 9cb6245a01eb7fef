#include "runtime/sandbox_cgroups.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// Those that are there are switched on, whatever the limits: they count, too.
constexpr std::string_view kControllers[] = {"memory", "pids", "cpu"};
constexpr uint64_t kDefaultPids = 512;
constexpr uint64_t kInit = 1;

// With euid 0 the launcher is an ordinary user, who needs the right to start processes anywhere
// below: sandbox_cgroup.cc says why nobody else gets in.
void let_launcher_start_processes(const Cgroup& group) {
  if (::geteuid() != 0) return;
  check(::fchmodat(group.fd(), "cgroup.procs", 0666, 0), "fchmodat", "cgroup.procs");
}

void adopt(const Cgroup& group, pid_t launcher) try {
  group.make_or_open("launchers").add(launcher);
} catch (const Error& error) {
  if (error.code().value() != EACCES) throw;
  throw Error(EACCES, error.call(), error.subject(),
              "processes move only within a subtree that is delegated to the caller: start this "
              "program in the same subtree");
}

void switch_on(std::string_view controller, const Cgroup& above, const Cgroup& group) {
  if (!above.has_controller(controller)) return;
  above.enable(controller);
  group.enable(controller);
}

}  // namespace

SandboxCgroups::Base SandboxCgroups::open_base(const LimitPlan& plan, pid_t launcher) const {
  DelegatedCgroup delegated = find_delegated_cgroup(
      CgroupSituation::now(configured_, may_move_host_, launcher), plan.controllers);
  Base base{.group = delegated.above.make_or_open("sandbox"),
            .holds_launcher = delegated.holds_launcher};
  let_launcher_start_processes(base.group);
  if (!base.holds_launcher) adopt(base.group, launcher);
  base.adopted = launcher;
  for (const std::string_view each : kControllers) switch_on(each, delegated.above, base.group);
  collect_dead_cgroups(base.group);
  return base;
}

SandboxCgroups::Base& SandboxCgroups::base(const LimitPlan& plan, pid_t launcher) {
  if (!base_) base_.emplace(open_base(plan, launcher));
  if (!base_->holds_launcher && base_->adopted != launcher) adopt(base_->group, launcher);
  base_->adopted = launcher;
  return *base_;
}

SandboxCgroup SandboxCgroups::make(LimitPlan& plan, const std::string& id, pid_t launcher) {
  const std::lock_guard lock(mutex_);
  if (base_ && !base_->group.has("cgroup.procs")) base_.reset();  // systemd ended the scope.
  const Base& place = base(plan, launcher);
  const Cgroup& group = place.group;
  // Seldom wanted, and it makes every sandbox dearer.
  if (plan.cgroup.disk_read_rate || plan.cgroup.disk_write_rate) {
    switch_on("io", group.parent().value(), group);
  }
  require_controllers(group, plan.controllers);
  require_room(plan.cgroup, group);
  if (!plan.cgroup.pids_max && group.has_controller("pids")) {
    plan.known.pids = kDefaultPids;
    plan.cgroup.pids_max = kDefaultPids + kInit;
  }
  return {group, id, plan.cgroup};
}

}  // namespace sandbox
