#pragma once

#include <string>

#include "runtime/sandboxctl/relay.h"
#include "sandbox/sandbox.h"

namespace sandboxctl {

/// Connects to the kept command `pid`. Throws Failure.
sandbox::Process connect_command(const sandbox::Sandbox& box, pid_t pid, sandbox::Stdin input);

/// Relays until the command has ended, and gives its outcome. Ends this process by the signal at
/// which it leaves the command, and by SIGPIPE when nobody reads: the command lives on.
sandbox::Outcome follow_command(sandbox::Process& process, Relay::Leave leaving,
                                sandbox::Stdin input);

}  // namespace sandboxctl
