#include "runtime/sandboxctl/command_arguments.h"

#include <utility>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {

void CommandArguments::add_to(CLI::App& app) {
  add_value(app, "-w,--cwd", cwd_, "directory inside; default: the home directory");
  environment_.add_to(app);
  add_value(app, "--timeout", timeout_, "kill the command after 500ms, 10s, 5m, 1h");
  app.add_flag("-i", stdin_passed_, "pass stdin; without it the command is at end of file");
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
  if (app.count("--timeout") > 0) command.timeout = duration_of("--timeout", timeout_);
  command.env = environment_.environment();  // Last: files are read after all of it is valid.
  return command;
}

}  // namespace sandboxctl
