#pragma once

#include <string>

#include "runtime/sysctls.h"

namespace sandbox {

/// The smallest change of a machine that makes a failed probe succeed. One sentence; `error` is the
/// errno of the probe.

/// For creating a user namespace, writing its maps and mounting in it.
std::string user_namespace_remedy(int error, const Sysctls& sysctls);

/// For a fresh procfs in a new pid namespace.
std::string proc_remedy(int error);

/// For the other things that sit on a user namespace.
std::string network_namespace_remedy(int error, const Sysctls& sysctls);

}  // namespace sandbox
