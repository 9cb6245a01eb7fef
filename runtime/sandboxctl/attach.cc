// sandboxctl attach: go on with a command that was left running.

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/command_words.h"
#include "runtime/sandboxctl/follow.h"
#include "runtime/sandboxctl/foreground.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kUsage = "sandboxctl attach [OPTIONS] ID PID";
constexpr const char* kFooter =
    "Prints what the command has printed, as far as it is kept, and then what it prints.\n"
    "Ctrl-C and SIGTERM go to the command, as with 'exec'; a second one, and the end of the\n"
    "terminal, leave it running. With --no-forward the first one does.\n"
    "The exit code is the command's, or 128+N when signal N made us leave.";

}  // namespace

int attach(const std::vector<std::string>& arguments) {
  CLI::App app("Goes on with a command started by 'sandboxctl exec -d'.", "attach");
  bool stdin_passed = false;
  bool no_forward = false;
  app.footer(kFooter);
  app.add_flag("-i", stdin_passed, "pass stdin, if it was started with -i");
  app.add_flag("--no-forward", no_forward, "pass no signal on");
  std::vector<std::string> words;
  if (!parse_words(app, kUsage, arguments, words)) return 0;
  const CommandWords named = command_words("attach", words, kUsage);

  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, named.id);
  const auto input = stdin_passed ? sandbox::Stdin::Pipe : sandbox::Stdin::Empty;
  sandbox::Process process = connect_command(box, find_command(box, named.command), input);
  if (stdin_passed && process.stdin_fd() < 0) {
    throw Failure(kFailed, {.doing = "passing stdin",
                            .subject = named.command,
                            .reason = "its stdin is at end of file",
                            .hint = "start it with 'exec -d -i'"});
  }
  const auto leaving = no_forward ? Relay::Leave::AtFirst : Relay::Leave::AtHangup;
  const sandbox::Outcome outcome = follow_command(process, leaving, input);
  const bool is_plain = std::holds_alternative<sandbox::Exited>(outcome) ||
                        std::holds_alternative<sandbox::Signaled>(outcome);
  if (!is_plain) {
    print_error({.doing = "running the command",
                 .subject = named.command,
                 .reason = sandbox::to_string(outcome)});
  }
  return exit_code_of(outcome);
}

}  // namespace sandboxctl
