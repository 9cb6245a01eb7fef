// sandboxctl shell: talk to a shell in a detached sandbox.

#include <optional>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/follow.h"
#include "runtime/sandboxctl/foreground.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/raw_terminal.h"
#include "runtime/sandboxctl/sandbox_arguments.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kShellUsage = "sandboxctl shell [OPTIONS] ID";
constexpr const char* kShellFooter =
    "It ends when you leave it ('exit', Ctrl-D), by 'sandboxctl kill' and with its sandbox. When\n"
    "this terminal closes, sandboxctl is killed or the detach keys are typed, it runs on, and\n"
    "'sandboxctl attach ID shell' returns to it. 'ps' shows it.";

struct ShellOptions {
  std::string id;
  sandbox::Command command;
  DetachKeys detach_keys;
};

std::optional<ShellOptions> parse_shell(const std::vector<std::string>& arguments) {
  CLI::App app("Starts a login shell in a sandbox made by 'sandboxctl create'.", "shell");
  ShellOptions options;
  EnvironmentArguments environment;
  environment.add_to(app);
  add_value(app, "-u,--user", options.command.user, "whose; default: the sandbox's user");
  std::string detach_keys = DetachKeys::kDefault;
  add_detach_keys(app, detach_keys);
  app.footer(kShellFooter);
  add_value(app, "-w,--cwd", options.command.cwd, "directory inside; default: the home directory");
  std::vector<std::string> words;
  if (!parse(app, kShellUsage, arguments, words)) return std::nullopt;
  refuse_empty(app, "--user", options.command.user);
  refuse_empty(app, "--cwd", options.command.cwd);
  if (words.empty()) throw usage_error("shell", "no sandbox", kShellUsage);
  if (words.size() > 1) {
    throw usage_error("shell", "more than one word behind the options",
                      "'sandboxctl exec -it ID CMD...' runs another program in a terminal");
  }
  options.id = words.front();
  options.command.input = sandbox::Stdin::Pipe;
  options.command.output = sandbox::Output::Kept;
  options.command.tag = "shell";
  options.detach_keys = DetachKeys(detach_keys);
  options.command.terminal = require_terminal("shell");
  options.command.env = environment.environment();
  return options;
}

}  // namespace

int shell(const std::vector<std::string>& arguments) {
  const std::optional<ShellOptions> options = parse_shell(arguments);
  if (!options) return 0;
  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, options->id);
  sandbox::Process process = start_command(box, options->command);
  const Following how{.input = sandbox::Stdin::Pipe, .detach_keys = options->detach_keys};
  return follow_to_the_end(process, how, options->id, "shell");
}

}  // namespace sandboxctl
