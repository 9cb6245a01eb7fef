#include "runtime/explain.h"

#include <cerrno>

#include "runtime/remedies.h"
#include "runtime/sysctls.h"

namespace sandbox {
namespace {

std::string explain_root(const SetupFailed& failed) {
  if (failed.error == EPERM && failed.subject == "proc") return proc_remedy(failed.error);
  if (failed.error == EINVAL && failed.subject == "overlay") {
    return "the file system of the data directory cannot hold an overlay's upper layer (overlay, "
           "NFS, FAT); set SANDBOX_HOME to a directory on ext4, xfs or btrfs";
  }
  if (failed.error == EACCES && failed.call == "open") {
    return "the sandbox's user must be able to reach it";
  }
  return failed.error == EPERM ? user_namespace_remedy(failed.error, Sysctls()) : std::string();
}

}  // namespace

std::string explain(const SetupFailed& failed) {
  if (!failed.hint.empty()) return failed.hint;
  if (failed.step == "clone3" || failed.step == "ids" || failed.step == "propagation") {
    return user_namespace_remedy(failed.error, Sysctls());
  }
  if (failed.step == "network") return network_namespace_remedy(failed.error, Sysctls());
  for (const char* step : {"sources", "layers", "proc", "dev", "binds", "private proc"}) {
    if (failed.step == step) return explain_root(failed);
  }
  return {};
}

}  // namespace sandbox
