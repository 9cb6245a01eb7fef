#pragma once

#include <string>
#include <vector>

namespace sandbox {

/// The sudo of a sandbox: sandbox-init by the name of `sudo`, run by anybody inside, with no more
/// rights than he has. It asks PID 1, which knows by itself who asks, and passes on signals and how
/// the command ended. `words` follow argv[0]. Returns the exit code.
int run_sudo(const std::vector<std::string>& words);

}  // namespace sandbox
