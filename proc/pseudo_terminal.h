#pragma once

#include <sys/types.h>

#include "sandbox/process.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Both ends of a pseudo terminal of the sandbox's own devpts: pty(7). Neither is anybody's
/// controlling terminal yet.
struct PseudoTerminal {
  UniqueFd master;
  UniqueFd slave;
};

/// Opens one, `size` large, whose node in /dev/pts belongs to `owner`. For PID 1 of a sandbox, with
/// CAP_SETUID where `owner` is not its own uid. Throws Error; ENOSPC when there are too many.
PseudoTerminal open_pseudo_terminal(TerminalSize size, uid_t owner);

/// Tells the programs in it, by SIGWINCH, that a terminal is `size` large now. Throws Error.
void set_terminal_size(int terminal, TerminalSize size);

}  // namespace sandbox
