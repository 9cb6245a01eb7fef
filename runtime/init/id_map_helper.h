#pragma once

#include <sys/types.h>

#include "isolation/id_map.h"

namespace sandbox {

/// Has newuidmap(1) and newgidmap(1) write `ids` as the maps of `child`, a process of the caller in
/// a new user namespace. Throws Error with what the programs printed: ENOENT when they are not
/// installed, EPERM when they refuse, ETIMEDOUT when they hang.
void run_newuidmap(pid_t child, const IdMap& ids);

}  // namespace sandbox
