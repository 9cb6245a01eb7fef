#include "runtime/sandboxctl/foreground.h"

#include <cerrno>
#include <csignal>
#include <string>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/relay.h"
#include "runtime/sandboxctl/units.h"
#include "sandbox/error.h"

namespace sandboxctl {
namespace {

// 126 and 127 are about the program alone: a missing working directory or an environment that is
// too long is our failure.
int exit_code_of(const sandbox::Error& error, const std::string& program) {
  const int value = error.code().value();
  if (error.call() != "execve" || error.subject() != program || value == EINVAL) return kFailed;
  return value == ENOENT ? kNotFound : kNotExecutable;
}

struct ExitCode {
  int operator()(const sandbox::Exited& end) const { return end.code; }
  int operator()(const sandbox::Signaled& end) const { return kSignalBase + end.signal; }
  int operator()(const sandbox::TimedOut&) const { return kTimedOut; }
  int operator()(const sandbox::SandboxGone&) const { return kSignalBase + SIGKILL; }
};

// What the exit code alone does not tell.
void explain(const sandbox::Outcome& outcome, const sandbox::Command& command) {
  Message message{.doing = "running the command", .subject = command.argv.front()};
  if (std::holds_alternative<sandbox::TimedOut>(outcome)) {
    message.reason = "time limit of " + format_duration(*command.timeout) + " reached";
  } else if (std::holds_alternative<sandbox::SandboxGone>(outcome)) {
    message.reason = "the sandbox was killed from outside";
  } else {
    return;
  }
  print_error(message);
}

bool died_of(const sandbox::Outcome& outcome, int signal) {
  const auto* end = std::get_if<sandbox::Signaled>(&outcome);
  return end != nullptr && end->signal == signal;
}

}  // namespace

sandbox::Process start_command(const sandbox::Sandbox& box, const sandbox::Command& command) try {
  return box.commands().start(command);
} catch (const sandbox::Error& error) {
  const int exit_code = exit_code_of(error, command.argv.front());
  Message message = describe("starting the command", error);
  if (exit_code != kFailed) message.subject = command.argv.front();
  throw Failure(exit_code, message);
}

Foreground run_in_foreground(sandbox::Process& process, const sandbox::Command& command,
                             const SignalInbox& inbox, Pump& out, Pump& err,
                             const std::function<void()>& give_up) {
  Relay relay(process, inbox, out, err);
  if (command.input == sandbox::Stdin::Pipe) relay.pass_stdin();
  const auto outcome = relay.run();
  if (!outcome) {
    give_up();
    die_by(relay.signal());
  }
  explain(*outcome, command);
  return {.ending = {.outcome = *outcome,
                     .exit_code = std::visit(ExitCode{}, *outcome),
                     .usage = process.usage()},
          .deadly_signal = died_of(*outcome, relay.signal()) ? relay.signal() : 0};
}

}  // namespace sandboxctl
