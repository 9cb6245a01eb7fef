// sandboxctl kill: send a signal to a command.

#include <csignal>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/command_words.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/signal_names.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kKillUsage = "sandboxctl kill [-s SIGNAL] [-g] ID PID";

bool send(const sandbox::Sandbox& box, pid_t pid, int signal, sandbox::Target target) try {
  return box.commands().kill(pid, signal, target);
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, describe("sending the signal", error));
}

}  // namespace

int kill(const std::vector<std::string>& arguments) {
  CLI::App app("Sends a signal to a command of a sandbox.", "kill");
  std::string name = "TERM";
  bool tree = false;
  add_value(app, "-s,--signal", name, "by name or number; default: TERM");
  app.add_flag("-g,--tree", tree, "to the command and all that it has started, daemons included");
  std::vector<std::string> words;
  if (!parse_words(app, kKillUsage, arguments, words)) return 0;
  const CommandWords named = command_words("kill", words, kKillUsage);
  const std::optional<int> signal = parse_signal(name);
  if (!signal) throw usage_error("--signal " + name, "no such signal", "1 to 64, signal(7)");

  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, named.id);
  const pid_t pid = find_command(box, named.command);
  const auto target = tree ? sandbox::Target::Tree : sandbox::Target::Process;
  if (send(box, pid, *signal, target)) return 0;
  throw Failure(kFailed,
                {.doing = "sending the signal",
                 .subject = named.command,
                 .reason = tree ? "nothing of it is running" : "no such command is running",
                 .hint = "'sandboxctl ps' lists the commands"});
}

}  // namespace sandboxctl
