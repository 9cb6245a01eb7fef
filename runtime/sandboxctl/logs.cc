// sandboxctl logs: what a command has printed.

#include <unistd.h>

#include <string>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/command_words.h"
#include "runtime/sandboxctl/follow.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kLogsUsage = "sandboxctl logs [-f] ID PID";
constexpr const char* kLogsFooter =
    "The last 1 MiB of each stream is kept, also after the command has ended. The command does "
    "not\n"
    "wait for who reads: what was overwritten before -f came to it is missing, and is told.";

void print_chunk(sandbox::Stream from, std::string_view chunk) {
  if (from == sandbox::Stream::Stdout) return print_output(chunk);
  print_all(STDERR_FILENO, "stderr", chunk);
}

void print_gap(const sandbox::OutputGap& gap) {
  print_error({.doing = "reading the command's output",
               .subject = gap.stream == sandbox::Stream::Stdout ? "stdout" : "stderr",
               .reason = std::to_string(gap.bytes) + " bytes are missing from " +
                         std::to_string(gap.offset) + " on",
               .hint = "more was printed than is kept, or than the limit allows"});
}

void print_so_far(const sandbox::Sandbox& box, pid_t pid) try {
  box.commands().replay(pid, print_chunk, print_gap);
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, describe("connecting to the command", error));
}

}  // namespace

int logs(const std::vector<std::string>& arguments) {
  CLI::App app("Prints the output of a command started by 'sandboxctl exec -d'.", "logs");
  bool follow = false;
  app.footer(kLogsFooter);
  app.add_flag("-f,--follow", follow, "go on until the command has ended");
  std::vector<std::string> words;
  if (!parse_words(app, kLogsUsage, arguments, words)) return 0;
  const CommandWords named = command_words("logs", words, kLogsUsage);

  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, named.id);
  const pid_t pid = find_command(box, named.command);
  if (follow) {
    sandbox::Process process = connect_command(box, pid, {.input = sandbox::Stdin::Empty});
    follow_command(process, {.leaving = Relay::Leave::AtFirst});
  } else {
    print_so_far(box, pid);
  }
  return 0;
}

}  // namespace sandboxctl
