#include "runtime/sandboxctl/follow.h"

#include <unistd.h>

#include <csignal>

#include "runtime/sandboxctl/foreground.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/signals.h"

namespace sandboxctl {

sandbox::Process connect_command(const sandbox::Sandbox& box, pid_t pid, sandbox::Stdin input) try {
  return box.commands().connect(pid, {.input = input});
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, describe("connecting to the command", error));
}

sandbox::Outcome follow_command(sandbox::Process& process, Relay::Leave leaving,
                                sandbox::Stdin input) {
  const SignalInbox inbox;
  std::signal(SIGPIPE, SIG_DFL);
  OutputPump out(process.stdout_fd(), STDOUT_FILENO, "stdout");
  OutputPump err(process.stderr_fd(), STDERR_FILENO, "stderr");
  Relay relay(process, inbox, out, err);
  relay.set_leaving(leaving);
  if (input == sandbox::Stdin::Pipe) relay.pass_stdin();
  const auto outcome = relay.run();
  report_missing(process);
  if (!outcome) die_by(relay.signal());
  return *outcome;
}

}  // namespace sandboxctl
