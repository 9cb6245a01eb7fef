// sandboxctl attach: go on with a command that was left running.

#include <unistd.h>

#include <optional>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/command_words.h"
#include "runtime/sandboxctl/follow.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kAttachUsage = "sandboxctl attach [OPTIONS] ID PID";
constexpr const char* kAttachFooter =
    "Prints what the command has printed, as far as it is kept, and then what it prints.\n"
    "Ctrl-C and SIGTERM go to the command, as with 'exec'; a second one, and the end of the\n"
    "terminal, leave it running. With --no-forward the first one does.\n"
    "A command in a terminal has your keys, and draws itself anew; 'logs' has what it printed.\n"
    "The exit code is the command's, or 128+N when signal N made us leave.";

struct AttachOptions {
  std::string id;
  std::string command;
  bool wants_stdin = false;
  bool no_stdin = false;
  bool no_forward = false;
  DetachKeys detach_keys;
};

std::optional<AttachOptions> parse_attach(const std::vector<std::string>& arguments) {
  CLI::App app("Goes on with a command started by 'exec -d', or with a shell.", "attach");
  AttachOptions options;
  std::string detach_keys = DetachKeys::kDefault;
  app.footer(kAttachFooter);
  app.add_flag("-i", options.wants_stdin, "pass stdin, if it was started with -i");
  app.add_flag("--no-stdin", options.no_stdin, "only watch what runs in a terminal");
  app.add_flag("--no-forward", options.no_forward, "pass no signal on");
  add_detach_keys(app, detach_keys);
  std::vector<std::string> words;
  if (!parse_words(app, kAttachUsage, arguments, words)) return std::nullopt;
  const CommandWords named = command_words("attach", words, kAttachUsage);
  if (options.wants_stdin && options.no_stdin) throw usage_error("attach", "-i and --no-stdin");
  options.id = named.id;
  options.command = named.command;
  options.detach_keys = DetachKeys(detach_keys);
  return options;
}

sandbox::ConnectOptions connect_options(const AttachOptions& options,
                                        const std::optional<sandbox::CommandInfo>& command) {
  sandbox::ConnectOptions from{.input = sandbox::Stdin::Empty};
  if (options.wants_stdin) from.input = sandbox::Stdin::Pipe;
  const bool is_live = command && command->in_terminal && !command->outcome;
  if (!is_live || options.no_stdin || !is_terminal(STDIN_FILENO)) return from;
  // Printed again, questions to the terminal would be answered again, into the shell.
  return {.stdout_from = command->stdout_bytes, .input = sandbox::Stdin::Pipe};
}

}  // namespace

int attach(const std::vector<std::string>& arguments) {
  const std::optional<AttachOptions> options = parse_attach(arguments);
  if (!options) return 0;
  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, options->id);
  const pid_t pid = find_command(box, options->command);
  const sandbox::ConnectOptions from = connect_options(*options, look_at_command(box, pid));
  sandbox::Process process = connect_command(box, pid, from);
  if (options->wants_stdin && process.stdin_fd() < 0) {
    throw Failure(kFailed, {.doing = "passing stdin",
                            .subject = options->command,
                            .reason = "its stdin is at end of file",
                            .hint = "start it with 'exec -d -i'"});
  }
  const Following how{
      .leaving = options->no_forward ? Relay::Leave::AtFirst : Relay::Leave::AtHangup,
      .input = process.stdin_fd() < 0 ? sandbox::Stdin::Empty : from.input,
      .detach_keys = options->detach_keys,
      .redraw = from.stdout_from > 0 && process.has_terminal()};
  return follow_to_the_end(process, how, options->id, options->command);
}

}  // namespace sandboxctl
