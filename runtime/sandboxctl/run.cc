// sandboxctl run: create a sandbox, run one command in it, remove it.

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <string>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/relay.h"
#include "runtime/sandboxctl/report.h"
#include "runtime/sandboxctl/run_options.h"
#include "runtime/sandboxctl/signals.h"
#include "runtime/sandboxctl/units.h"
#include "runtime/sandboxctl/verbs.h"
#include "sandbox/runtime.h"

namespace sandboxctl {
namespace {

constexpr const char* kDoctorHint = "run 'sandboxctl doctor'";

// True when what failed is a thing that the user named, and not the machine.
bool names_input(const sandbox::Error& error, const sandbox::SandboxOptions& options) {
  const std::string& subject = error.subject();
  const auto about = [&subject](std::string_view input) {
    return !input.empty() && subject.starts_with(input);
  };
  std::string_view name = options.template_name;
  if (name.starts_with("dir:")) name.remove_prefix(4);
  if (about(options.template_name) || about(name) || about(options.user)) return true;
  for (const sandbox::Mount& mount : options.mounts) {
    if (about(mount.source) || about(mount.target)) return true;
  }
  return false;
}

sandbox::Sandbox create(sandbox::Runtime& runtime, const sandbox::SandboxOptions& options) try {
  return runtime.create(options);
} catch (const sandbox::Error& error) {
  Message message = describe("creating the sandbox", error);
  if (!names_input(error, options)) {
    message.hint += (message.hint.empty() ? "" : "; ") + std::string(kDoctorHint);
  }
  throw Failure(kFailed, message);
}

sandbox::Runtime start_runtime() try {
  return sandbox::Runtime();
} catch (const sandbox::Error& error) {
  Message message = describe("starting", error);
  message.hint += (message.hint.empty() ? "" : "; ") + std::string(kDoctorHint);
  throw Failure(kFailed, message);
}

// 126 and 127 are about the program alone: a missing working directory or an environment that is
// too long is our failure.
int exit_code_of(const sandbox::Error& error, const std::string& program) {
  const int value = error.code().value();
  if (error.call() != "execve" || error.subject() != program || value == EINVAL) return kFailed;
  return value == ENOENT ? kNotFound : kNotExecutable;
}

sandbox::Process start(const sandbox::Sandbox& box, const sandbox::Command& command) try {
  return box.commands().start(command);
} catch (const sandbox::Error& error) {
  const int exit_code = exit_code_of(error, command.argv.front());
  Message message = describe("starting the command", error);
  if (exit_code != kFailed) message.subject = command.argv.front();
  throw Failure(exit_code, message);
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

// Relays to `out` and `err` until the end. A signal that we got and that ended the command, or a
// second one, ends this process as well.
Ending relay(sandbox::Sandbox& box, sandbox::Process& process, const RunOptions& options,
             const SignalInbox& inbox, Pump& out, Pump& err, int& deadly) {
  Relay relay(process, inbox, out, err);
  if (options.command.input == sandbox::Stdin::Pipe) relay.pass_stdin();
  const auto outcome = relay.run();
  if (!outcome) {
    box.destroy();
    die_by(relay.signal());
  }
  if (died_of(*outcome, relay.signal())) deadly = relay.signal();
  return {
      .outcome = *outcome, .exit_code = std::visit(ExitCode{}, *outcome), .usage = process.usage()};
}

[[noreturn]] void run_command(const RunOptions& options) {
  const SignalInbox inbox;
  sandbox::Runtime runtime = start_runtime();
  sandbox::Sandbox box = create(runtime, options.sandbox);
  sandbox::Process process = start(box, options.command);
  int deadly = 0;
  Ending ending;
  if (options.json) {
    CapturePump out(process.stdout_fd(), kCaptureBytes);
    CapturePump err(process.stderr_fd(), kCaptureBytes);
    ending = relay(box, process, options, inbox, out, err, deadly);
    print_all(STDOUT_FILENO, "stdout", result_document(ending, box, out, err));
  } else {
    OutputPump out(process.stdout_fd(), STDOUT_FILENO, "stdout");
    OutputPump err(process.stderr_fd(), STDERR_FILENO, "stderr");
    ending = relay(box, process, options, inbox, out, err, deadly);
  }
  explain(ending.outcome, options.command);
  if (options.stats) print_all(STDERR_FILENO, "stderr", statistics(ending, box));
  // With no process left but init and nothing on disk, the kernel does the rest while our caller
  // goes on already: 0.6 of 5.5 ms.
  if (process.left_daemons() || box.has_directory()) box.destroy();
  if (deadly != 0) die_by(deadly);
  ::_exit(ending.exit_code);
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  const std::optional<RunOptions> options = parse_run(arguments);
  if (!options) return 0;
  try {
    run_command(*options);
  } catch (const Failure& failure) {
    if (options->json) print_all(STDOUT_FILENO, "stdout", failure_document(failure));
    throw;
  }
}

}  // namespace sandboxctl
