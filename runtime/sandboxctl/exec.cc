// sandboxctl exec: run a command in a detached sandbox.

#include <unistd.h>

#include <csignal>
#include <utility>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/command_arguments.h"
#include "runtime/sandboxctl/foreground.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kUsage = "sandboxctl exec [OPTIONS] ID [--] CMD [ARG...]";

struct ExecOptions {
  std::string id;
  bool detach = false;
  sandbox::Command command;
};

std::optional<ExecOptions> parse_exec(const std::vector<std::string>& arguments) {
  CLI::App app("Runs a command in a sandbox made by 'sandboxctl create'.", "exec");
  CommandArguments command;
  std::string user;
  command.add_to(app);
  add_value(app, "-u,--user", user, "who runs it; default: the sandbox's user");
  std::string tag;
  bool detach = false;
  app.add_flag("-d,--detach", detach, "print its pid and leave it running: ps, logs, attach, kill");
  add_value(app, "--tag", tag, "a name for it, which logs and attach take as well");
  std::vector<std::string> words;
  if (!parse(app, kUsage, arguments, words)) return std::nullopt;
  refuse_empty(app, "--user", user);
  if (words.empty()) throw usage_error("exec", "no sandbox", kUsage);

  ExecOptions options;
  options.id = words.front();
  words.erase(words.begin());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  options.command = command.command(app, std::move(words), kUsage);
  options.command.user = user;
  options.command.tag = tag;
  options.detach = detach;
  if (detach) options.command.output = sandbox::Output::Kept;
  return options;
}

}  // namespace

int exec(const std::vector<std::string>& arguments) {
  const std::optional<ExecOptions> options = parse_exec(arguments);
  if (!options) return 0;
  const SignalInbox inbox;
  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, options->id);
  sandbox::Process process = start_command(box, options->command);
  if (options->detach) {
    print_output(std::to_string(process.pid()) + "\n");
    return 0;
  }
  OutputPump out(process.stdout_fd(), STDOUT_FILENO, "stdout");
  OutputPump err(process.stderr_fd(), STDERR_FILENO, "stderr");
  const Foreground end = run_in_foreground(process, options->command, inbox, out, err, [&process] {
    process.kill(SIGKILL, sandbox::Target::Tree);
  });
  if (end.deadly_signal != 0) die_by(end.deadly_signal);
  return end.ending.exit_code;
}

}  // namespace sandboxctl
