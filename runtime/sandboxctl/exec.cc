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

constexpr const char* kExecUsage = "sandboxctl exec [OPTIONS] ID [--] CMD [ARG...]";

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
  add_value(app, "-u,--user", user, "who runs it, by name or uid; default: the sandbox's user");
  std::string tag;
  bool detach = false;
  app.add_flag("-d,--detach", detach, "print its pid and leave it running: ps, logs, attach, kill");
  add_value(app, "--tag", tag, "a name for it, which logs and attach take as well");
  std::vector<std::string> words;
  if (!parse(app, kExecUsage, arguments, words)) return std::nullopt;
  refuse_empty(app, "--user", user);
  if (words.empty()) throw usage_error("exec", "no sandbox", kExecUsage);

  ExecOptions options;
  options.id = words.front();
  words.erase(words.begin());
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  options.command = command.command(app, std::move(words), kExecUsage);
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
  if (!options->detach) return exec_in_foreground(options->id, options->command);
  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, options->id);
  const sandbox::Process process = start_command(box, options->command);
  print_output(std::to_string(process.pid()) + "\n");
  return 0;
}

}  // namespace sandboxctl
