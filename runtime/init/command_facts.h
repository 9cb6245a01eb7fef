#pragma once

#include "proc/spawn_request.h"
#include "sandbox/command_info.h"

namespace sandbox {

/// What Commands::list() tells about a command from its start on. Long lists are cut, so that all
/// commands fit one message.
CommandInfo facts_of(const SpawnRequest& request, pid_t pid);

}  // namespace sandbox
