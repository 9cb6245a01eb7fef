#pragma once

#include <string>

#include "runtime/init/setup_report.h"

namespace sandbox {

/// Why creating a sandbox probably failed and what to change on this machine, from what failed and
/// how: the same EPERM means a sysctl, a container or an AppArmor rule. Empty when there is nothing
/// to say beyond the error itself.
std::string explain(const SetupFailed& failed);

}  // namespace sandbox
