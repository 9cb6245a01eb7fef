#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "runtime/sandboxctl/sandbox_arguments.h"
#include "sandbox/commands.h"

namespace sandboxctl {

/// The options of `run` and `exec` that say how a command runs.
class CommandArguments {
 public:
  /// Binds the options; this object must outlive the parsing.
  void add_to(CLI::App& app);

  /// `verb` and `usage` are for the message when `argv` is none. Throws Failure.
  sandbox::Command command(const CLI::App& app, std::vector<std::string> argv,
                           const char* usage) const;

 private:
  std::string cwd_;
  std::string timeout_;
  std::string idle_timeout_;
  std::string cpu_time_;
  std::string max_output_;
  std::string on_excess_ = "kill";
  EnvironmentArguments environment_;
  bool stdin_passed_ = false;
  bool in_terminal_ = false;
};

}  // namespace sandboxctl
