#pragma once

#include <functional>
#include <string>

#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/report.h"
#include "runtime/sandboxctl/signals.h"
#include "sandbox/sandbox.h"

namespace sandboxctl {

/// Starts `command`. Throws Failure with 126 or 127 when it is about the program itself, with 125
/// when it is not.
sandbox::Process start_command(const sandbox::Sandbox& box, const sandbox::Command& command);

/// What a shell would say: the command's own code, 128+N after signal N, 124 after a time limit.
int exit_code_of(const sandbox::Outcome& outcome);

/// Says on stderr what is missing of the output of `process`, if anything is.
void report_missing(sandbox::Process& process);

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

/// All of it, in the living sandbox `id`: returns the exit code. A signal that ends the command
/// ends this process.
int exec_in_foreground(const std::string& id, const sandbox::Command& command);

}  // namespace sandboxctl
