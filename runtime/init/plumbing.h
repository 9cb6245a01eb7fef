#pragma once

#include <vector>

#include "proc/kept_commands.h"
#include "proc/spawn_request.h"
#include "proc/spawner.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Where the stdio of a new command leads.
struct Plumbing {
  Stdio stdio;                    ///< The command's own ends.
  bool through_us = false;        ///< Else straight to the host, and the rest is empty.
  KeptCommands::Sources sources;  ///< Our ends.
  UniqueFd client_out;            ///< What the host reads of us.
  UniqueFd client_err;
  UniqueFd terminal;  ///< Master, for the host alone: when nothing goes through us.
};

/// `fds` are those of the request behind the status socket. Throws Error: EBADMSG unless they are
/// as many as the request says, EMFILE.
Plumbing lay_pipes(const SpawnRequest& request, std::vector<UniqueFd> fds);

}  // namespace sandbox
