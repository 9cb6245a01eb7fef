#pragma once

#include <functional>

#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/report.h"
#include "runtime/sandboxctl/signals.h"
#include "sandbox/sandbox.h"

namespace sandboxctl {

/// Starts `command`. Throws Failure with 126 or 127 when it is about the program itself, with 125
/// when it is not.
sandbox::Process start_command(const sandbox::Sandbox& box, const sandbox::Command& command);

/// How a command ended that ran in the foreground.
struct Foreground {
  Ending ending;
  int deadly_signal = 0;  ///< By which this process is to end as well; 0: none.
};

/// Relays between this process and `process` until the end. After a second signal `give_up` ends
/// what is to end, and then this process ends by that signal.
Foreground run_in_foreground(sandbox::Process& process, const sandbox::Command& command,
                             const SignalInbox& inbox, Pump& out, Pump& err,
                             const std::function<void()>& give_up);

}  // namespace sandboxctl
