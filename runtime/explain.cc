#include "runtime/explain.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

std::optional<std::string> read_sysctl(const char* path) {
  try {
    std::string value = read_kernel_file(AT_FDCWD, path);
    while (value.ends_with('\n')) value.pop_back();
    return value;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Both are patches of distributions, and both end as EPERM somewhere.
std::optional<std::string> explain_user_namespace_policy() {
  constexpr const char* kAppArmor = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
  if (read_sysctl(kAppArmor).value_or("0") != "0") {
    return "AppArmor restricts user namespaces for programs without a profile "
           "(kernel.apparmor_restrict_unprivileged_userns=1); give this program a profile with "
           "`userns,`, or set the sysctl to 0";
  }
  constexpr const char* kDebian = "/proc/sys/kernel/unprivileged_userns_clone";
  if (read_sysctl(kDebian).value_or("1") == "0") {
    return "user namespaces are off; run: sysctl kernel.unprivileged_userns_clone=1";
  }
  return std::nullopt;
}

std::string explain_clone(int error) {
  if (error == ENOSPC || error == EUSERS) {
    const std::string limit = read_sysctl("/proc/sys/user/max_user_namespaces").value_or("?");
    return "user.max_user_namespaces is " + limit +
           " and used up, or namespaces are nested too deep; raise it with sysctl";
  }
  if (error == ENOSYS) return "clone3(2) is filtered: is this inside a container with old seccomp?";
  if (auto policy = explain_user_namespace_policy()) return *policy;
  return "no user namespace may be made here; in a container, its seccomp profile must allow "
         "clone3, unshare and mount";
}

std::string explain_root(const SetupFailed& failed) {
  const bool refused = failed.error == EPERM || failed.error == EACCES;
  if (refused && failed.subject == "proc") {
    return "/proc here is partly covered, as in a container, so a new one may not show more; run "
           "the container with systempaths=unconfined (docker) or unmask=ALL (podman)";
  }
  if (refused) {
    if (auto policy = explain_user_namespace_policy()) return *policy;
  }
  if (failed.error == EINVAL && failed.subject == "overlay") {
    return "the file system of the data directory cannot hold an overlay's upper layer (overlay, "
           "NFS, FAT); set SANDBOX_HOME to a directory on ext4, xfs or btrfs";
  }
  if (failed.error == EACCES && failed.call == "open") {
    return "the sandbox's user must be able to reach it";
  }
  return {};
}

}  // namespace

std::string explain(const SetupFailed& failed) {
  if (!failed.hint.empty()) return failed.hint;
  if (failed.step == "clone3") return explain_clone(failed.error);
  for (const char* step : {"sources", "layers", "proc", "dev", "binds", "private proc"}) {
    if (failed.step == step) return explain_root(failed);
  }
  if (failed.step == "ids" || failed.step == "propagation" || failed.step == "network") {
    return explain_user_namespace_policy().value_or(std::string());
  }
  return {};
}

}  // namespace sandbox
