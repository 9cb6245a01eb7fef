#include "runtime/sandboxctl/command_arguments.h"

#include <utility>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/raw_terminal.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

uint64_t size_of(const char* option, const std::string& text) {
  if (const auto size = parse_size(text)) return static_cast<uint64_t>(*size);
  throw usage_error(std::string(option) + " " + text, "not a size above zero, such as 64K or 512M");
}

sandbox::OnExcess excess_of(const std::string& text) {
  if (text == "kill") return sandbox::OnExcess::Kill;
  if (text == "head") return sandbox::OnExcess::KeepHead;
  if (text == "tail") return sandbox::OnExcess::KeepTail;
  throw usage_error("--on-excess " + text, "not one of kill, head, tail");
}

}  // namespace

void CommandArguments::add_to(CLI::App& app) {
  add_value(app, "-w,--cwd", cwd_, "directory inside; default: the home directory");
  environment_.add_to(app);
  add_value(app, "--timeout", timeout_, "kill the command after 500ms, 10s, 5m, 1h");
  add_value(app, "--idle-timeout", idle_timeout_, "kill it after so long without output");
  add_value(app, "--cpu-time", cpu_time_, "kill it after so much CPU time of all its processes");
  add_value(app, "--max-output", max_output_, "bytes of stdout, and of stderr: 64K, 512M, 2G");
  add_value(app, "--on-excess", on_excess_,
            "what happens beyond: kill, head (drop the rest) or tail (keep the last)");
  app.add_flag("-i", stdin_passed_, "pass stdin; without it the command is at end of file");
  app.add_flag("-t,--tty", in_terminal_, "run it in a terminal; -it to talk to it");
}

sandbox::Command CommandArguments::command(const CLI::App& app, std::vector<std::string> argv,
                                           const char* usage) const {
  refuse_empty(app, "--cwd", cwd_);
  if (argv.empty()) throw usage_error(app.get_name(), "no command", usage);
  if (argv.front().empty()) throw usage_error(app.get_name(), "the command is an empty word");
  sandbox::Command command;
  command.argv = std::move(argv);
  command.cwd = cwd_;
  command.input = stdin_passed_ ? sandbox::Stdin::Pipe : sandbox::Stdin::Empty;
  if (in_terminal_) command.terminal = require_terminal("-t");
  if (app.count("--timeout") > 0) command.timeout = duration_of("--timeout", timeout_);
  if (app.count("--idle-timeout") > 0) {
    command.idle_timeout = duration_of("--idle-timeout", idle_timeout_);
  }
  if (app.count("--cpu-time") > 0) command.cpu_time = duration_of("--cpu-time", cpu_time_);
  if (app.count("--max-output") > 0) command.max_output = size_of("--max-output", max_output_);
  command.on_excess = excess_of(on_excess_);
  command.env = environment_.environment();  // Last: files are read after all of it is valid.
  return command;
}

}  // namespace sandboxctl
