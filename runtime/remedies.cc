#include "runtime/remedies.h"

#include <cerrno>

namespace sandbox {
namespace {

constexpr const char* kSeccompOfContainer =
    "this process is itself confined, as by a container's seccomp filter: allow clone, unshare and "
    "mount there (docker and podman: --security-opt seccomp=unconfined)";

std::string set(const char* sysctl, const char* value) {
  return std::string("sudo sysctl -w ") + sysctl + "=" + value;
}

}  // namespace

std::string user_namespace_remedy(int error, const Sysctls& sysctls) {
  if (error == ENOSPC || error == EUSERS || sysctls.get("user.max_user_namespaces") == 0) {
    return "the number of user namespaces is limited: " + set("user.max_user_namespaces", "15000");
  }
  if (error == ENOSYS || error == EINVAL) return "a kernel built with CONFIG_USER_NS is needed";
  // Debian's and Arch's own switch.
  if (sysctls.get("kernel.unprivileged_userns_clone") == 0) {
    return "user namespaces are for root only here: " +
           set("kernel.unprivileged_userns_clone", "1");
  }
  // Ubuntu since 23.10.
  if (sysctls.get("kernel.apparmor_restrict_unprivileged_userns").value_or(0) != 0) {
    return "AppArmor takes the capabilities away: an AppArmor profile with 'userns,' for this "
           "program in /etc/apparmor.d, or for all programs " +
           set("kernel.apparmor_restrict_unprivileged_userns", "0");
  }
  return kSeccompOfContainer;
}

std::string proc_remedy(int error) {
  if (error != EPERM) return "";
  return "/proc of this machine has mounts over parts of it, as in a container, and the kernel "
         "then refuses a complete one: start the container with an unmasked /proc (docker: "
         "--security-opt systempaths=unconfined, podman: --security-opt unmask=ALL)";
}

std::string network_namespace_remedy(int error, const Sysctls& sysctls) {
  if (error == ENOSPC || sysctls.get("user.max_net_namespaces") == 0) {
    return "the number of network namespaces is limited: " +
           set("user.max_net_namespaces", "15000");
  }
  if (error == EINVAL) return "a kernel built with CONFIG_NET_NS is needed";
  return user_namespace_remedy(error, sysctls);
}

}  // namespace sandbox
