#include "runtime/cgroup_ladder.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "runtime/base/kernel_file.h"
#include "runtime/own_cgroup.h"
#include "runtime/systemd_scope.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kRemedy =
    "start this program in a cgroup it may divide: systemd-run --user --scope -p Delegate=yes -- "
    "COMMAND (as root without --user), or name a cgroup of yours in $SANDBOX_CGROUP";

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text.empty() ? "cgroup" : text;
}

[[noreturn]] void refuse(const std::vector<std::string_view>& wanted, const std::string& hint) {
  throw Error(EOPNOTSUPP, "limit", join(wanted), hint);
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Controllers go from top to bottom, and EBUSY says that processes live in `above` itself.
bool can_give_controllers(const Cgroup& above, const std::vector<std::string_view>& wanted) {
  if (!above.is_ours()) return false;
  try {
    for (const std::string_view controller : wanted) {
      if (above.has_controller(controller)) above.enable(controller);
    }
    return true;
  } catch (const Error& error) {
    if (error.code().value() == EBUSY) return false;
    throw;
  }
}

std::optional<DelegatedCgroup> configured(const CgroupSituation& situation) {
  if (situation.configured.empty()) return std::nullopt;
  Cgroup above = Cgroup::open(situation.configured);
  if (!above.is_ours()) {
    throw Error(EACCES, "open", situation.configured,
                "the configured cgroup must belong to the caller, with its cgroup.procs and "
                "cgroup.subtree_control");
  }
  return DelegatedCgroup{std::move(above), false};
}

// What systemd divides itself, even where we have the right: slices, and user@.service, the whole
// of a user's systemd.
bool is_systemds_own(const std::string& path) {
  return path.ends_with(".slice") || path.substr(path.rfind('/') + 1).starts_with("user@");
}

// The top is the machine's.
std::optional<DelegatedCgroup> around_ours(const CgroupSituation& situation, const OwnCgroup& own,
                                           const std::vector<std::string_view>& wanted) {
  const std::string path = parent_of(own.path);
  if (path.empty() || is_systemds_own(path)) return std::nullopt;
  Cgroup above = Cgroup::open(situation.mount + path);
  if (!can_give_controllers(above, wanted)) return std::nullopt;
  return DelegatedCgroup{std::move(above), ::geteuid() != 0};
}

// systemd says so in an attribute: systemd.resource-control(5), Delegate=. An ordinary user has the
// right only where it was given to him.
bool is_delegated(const CgroupSituation& situation, const Cgroup& group) {
  if (!situation.systemd || ::geteuid() != 0) return true;
  char value = 0;
  return ::fgetxattr(group.fd(), "trusted.delegate", &value, 1) == 1 && value == '1';
}

bool only_ours_live_in(const Cgroup& group, pid_t launcher) {
  std::istringstream pids(group.read("cgroup.procs"));
  for (pid_t pid = 0; pids >> pid;) {
    if (pid != ::getpid() && pid != launcher) return false;
  }
  return true;
}

std::optional<DelegatedCgroup> ours(const CgroupSituation& situation, const OwnCgroup& own) {
  if (!situation.may_move_host || own.path == "/") return std::nullopt;
  Cgroup group = Cgroup::open(situation.mount + own.path);
  if (!group.is_ours() || !is_delegated(situation, group)) return std::nullopt;
  if (!only_ours_live_in(group, situation.launcher)) return std::nullopt;
  group.make_or_open("host").add(::getpid());
  return DelegatedCgroup{std::move(group), false};
}

DelegatedCgroup from_systemd(const CgroupSituation& situation,
                             const std::vector<std::string_view>& wanted) {
  std::string reason;
  try {
    const std::string unit = situation.start_scope(situation.launcher);
    const std::string file = "/proc/" + std::to_string(situation.launcher) + "/cgroup";
    const OwnCgroup its = OwnCgroup::parse(read_kernel_file(AT_FDCWD, file.c_str()));
    return {Cgroup::open(situation.mount + its.path), false};
  } catch (const Error& error) {
    reason = error.hint().empty() ? error.what() : error.hint();
  }
  refuse(wanted, std::string(kRemedy) + "; systemd was asked and said: " + reason);
}

std::string read_self() {
  try {
    return read_kernel_file(AT_FDCWD, "/proc/self/cgroup");
  } catch (const Error&) {
    return {};
  }
}

std::string configured_or_environment(std::string configured) {
  if (!configured.empty()) return configured;
  const char* variable = ::secure_getenv("SANDBOX_CGROUP");
  return variable == nullptr ? std::string() : std::string(variable);
}

}  // namespace

CgroupSituation CgroupSituation::now(std::string configured, bool may_move_host, pid_t launcher) {
  CgroupSituation situation;
  situation.self = read_self();
  situation.configured = configured_or_environment(std::move(configured));
  situation.may_move_host = may_move_host;
  situation.systemd = ::access("/run/systemd/system", F_OK) == 0;
  situation.launcher = launcher;
  situation.start_scope = [](pid_t pid) { return start_delegated_scope(pid); };
  return situation;
}

std::string delegation_remedy(const std::string& controllers) {
  return "for " + controllers +
         " put '[Service]' and 'Delegate=cpu cpuset io memory pids' as two lines into "
         "/etc/systemd/system/user@.service.d/delegate.conf, run 'systemctl daemon-reload' and log "
         "in again";
}

void require_controllers(const Cgroup& group, const std::vector<std::string_view>& wanted) {
  std::vector<std::string_view> missing;
  for (const std::string_view controller : wanted) {
    if (!group.has_controller(controller)) missing.push_back(controller);
  }
  if (missing.empty()) return;
  refuse(missing, "the controller is not delegated to us; " + delegation_remedy(join(missing)));
}

DelegatedCgroup find_delegated_cgroup(const CgroupSituation& situation,
                                      const std::vector<std::string_view>& wanted) {
  const OwnCgroup own = OwnCgroup::parse(situation.self);
  if (own.path.empty() || own.version_1) {
    refuse(
        wanted,
        "limits of memory, processes and cpu, and pausing, need cgroup version 2, and this machine "
        "has its controllers in version 1: boot with systemd.unified_cgroup_hierarchy=1");
  }
  std::optional<DelegatedCgroup> found = configured(situation);
  if (!found) found = around_ours(situation, own, wanted);
  if (!found) found = ours(situation, own);
  if (!found && situation.systemd) found = from_systemd(situation, wanted);
  if (!found) refuse(wanted, kRemedy);
  require_controllers(found->above, wanted);
  return std::move(*found);
}

}  // namespace sandbox
