#pragma once

#include <string>

#include "fs/host_path.h"

namespace sandbox {

/// Throws Error (EPERM) when a mount of `source` would show `own_directory`, in which the layers of
/// other sandboxes lie and the sockets that command them: that is, when one is the other or lies
/// below it. Nothing is there yet: no danger. Bind mounts that the host made of it elsewhere are
/// not looked for.
void require_not_exposed(const HostPath& source, const std::string& own_directory);

}  // namespace sandbox
