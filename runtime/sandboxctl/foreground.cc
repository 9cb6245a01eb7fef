#include "runtime/sandboxctl/foreground.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
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
  int operator()(const sandbox::OutputLimit&) const { return kSignalBase + SIGKILL; }
  int operator()(const sandbox::OutOfMemory&) const { return kSignalBase + SIGKILL; }
  int operator()(const sandbox::PidLimit& end) const { return end.exit_code; }
  int operator()(const sandbox::DiskLimit& end) const { return end.exit_code; }
  int operator()(const sandbox::SandboxGone&) const { return kSignalBase + SIGKILL; }
};

bool is_limit(const sandbox::Outcome& outcome) {
  return std::holds_alternative<sandbox::OutOfMemory>(outcome) ||
         std::holds_alternative<sandbox::PidLimit>(outcome) ||
         std::holds_alternative<sandbox::DiskLimit>(outcome);
}

std::string time_limit(sandbox::TimeLimit which, const sandbox::Command& command) {
  switch (which) {
    case sandbox::TimeLimit::Wall:
      return "time limit of " + format_duration(*command.timeout) + " reached";
    case sandbox::TimeLimit::Cpu:
      return "CPU time limit of " + format_duration(*command.cpu_time) + " reached";
    case sandbox::TimeLimit::Idle:
      return "no output for " + format_duration(*command.idle_timeout);
  }
  return "time limit reached";
}

// Without a program of its own, a command in a terminal is a shell.
std::string name_of(const sandbox::Command& command) {
  return command.argv.empty() ? "shell" : command.argv.front();
}

// What the exit code alone does not tell.
void explain(const sandbox::Outcome& outcome, const sandbox::Command& command) {
  Message message{.doing = "running the command", .subject = name_of(command)};
  if (const auto* end = std::get_if<sandbox::TimedOut>(&outcome)) {
    message.reason = time_limit(end->which, command);
  } else if (const auto* excess = std::get_if<sandbox::OutputLimit>(&outcome)) {
    message.reason = "more output than " + format_size(excess->limit_bytes);
  } else if (is_limit(outcome)) {
    message.reason = sandbox::to_string(outcome);
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

uint64_t missing_bytes(sandbox::Process& process) {
  return process.lost_bytes(sandbox::Stream::Stdout) + process.lost_bytes(sandbox::Stream::Stderr);
}

void report_missing(const char* stream, uint64_t bytes) {
  if (bytes == 0) return;
  print_error({.doing = "reading the command's output",
               .subject = stream,
               .reason = std::to_string(bytes) + " bytes are missing",
               .hint = "more was printed than is kept, or than the limit allows"});
}

}  // namespace

int exit_code_of(const sandbox::Outcome& outcome) { return std::visit(ExitCode{}, outcome); }

void report_missing(sandbox::Process& process) {
  report_missing("stdout", process.lost_bytes(sandbox::Stream::Stdout));
  report_missing("stderr", process.lost_bytes(sandbox::Stream::Stderr));
}

sandbox::Process start_command(const sandbox::Sandbox& box, const sandbox::Command& command) try {
  return box.commands().start(command);
} catch (const sandbox::Error& error) {
  const int exit_code = exit_code_of(error, name_of(command));
  Message message = describe("starting the command", error);
  if (exit_code != kFailed) message.subject = name_of(command);
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
  const bool is_told = std::holds_alternative<sandbox::OutputLimit>(*outcome);
  if (!is_told) report_missing(process);
  return {.ending = {.outcome = *outcome,
                     .exit_code = exit_code_of(*outcome),
                     .usage = process.usage(),
                     .missing_bytes = missing_bytes(process)},
          .deadly_signal = died_of(*outcome, relay.signal()) ? relay.signal() : 0};
}

int exec_in_foreground(const std::string& id, const sandbox::Command& command) {
  const SignalInbox inbox;
  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, id);
  sandbox::Process process = start_command(box, command);
  OutputPump out(process.stdout_fd(), STDOUT_FILENO, "stdout");
  OutputPump err(process.stderr_fd(), STDERR_FILENO, "stderr");
  const Foreground end = run_in_foreground(process, command, inbox, out, err, [&process] {
    process.kill(SIGKILL, sandbox::Target::Tree);
  });
  if (end.deadly_signal != 0) die_by(end.deadly_signal);
  return end.ending.exit_code;
}

}  // namespace sandboxctl
