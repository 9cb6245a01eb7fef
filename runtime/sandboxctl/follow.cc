#include "runtime/sandboxctl/follow.h"

#include <unistd.h>

#include <csignal>
#include <variant>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/foreground.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/signals.h"
#include "runtime/sandboxctl/terminal.h"

namespace sandboxctl {

namespace {

int report_detached(const sandbox::Process& process, const std::string& id) {
  const std::string pid = std::to_string(process.pid());
  if (is_terminal(STDERR_FILENO)) print_all(STDERR_FILENO, "stderr", "\n");  // Behind a prompt.
  print_error({.doing = "detached",
               .subject = pid,
               .reason = "it runs on",
               .hint = "'sandboxctl attach " + id + ' ' + pid + "' returns to it"});
  return 0;
}

}  // namespace

sandbox::Process connect_command(const sandbox::Sandbox& box, pid_t pid,
                                 const sandbox::ConnectOptions& from) try {
  return box.commands().connect(pid, from);
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, describe("connecting to the command", error));
}

std::optional<sandbox::Outcome> follow_command(sandbox::Process& process, const Following& how) {
  const SignalInbox inbox;
  std::signal(SIGPIPE, SIG_DFL);
  OutputPump out(process.stdout_fd(), STDOUT_FILENO, "stdout");
  OutputPump err(process.stderr_fd(), STDERR_FILENO, "stderr");
  Relay relay(process, inbox, out, err);
  relay.set_leaving(how.leaving);
  if (how.input == sandbox::Stdin::Pipe) relay.pass_stdin();
  if (how.input == sandbox::Stdin::Pipe && process.has_terminal()) relay.detach_at(how.detach_keys);
  if (how.redraw) relay.redraw();
  const auto outcome = relay.run();
  report_missing(process);
  if (!outcome && relay.signal() != 0) die_by(relay.signal());
  return outcome;
}

int follow_to_the_end(sandbox::Process& process, const Following& how, const std::string& id,
                      const std::string& command) {
  const auto outcome = follow_command(process, how);
  if (!outcome) return report_detached(process, id);
  const bool is_plain = std::holds_alternative<sandbox::Exited>(*outcome) ||
                        std::holds_alternative<sandbox::Signaled>(*outcome);
  if (!is_plain) {
    print_error({.doing = "running the command",
                 .subject = command,
                 .reason = sandbox::to_string(*outcome)});
  }
  return exit_code_of(*outcome);
}

void add_detach_keys(CLI::App& app, std::string& keys) {
  add_value(app, "--detach-keys", keys,
            std::string("what leaves it running: ctrl-a,d; '' is none; default: ") +
                DetachKeys::kDefault);
}

}  // namespace sandboxctl
