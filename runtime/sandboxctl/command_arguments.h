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
  EnvironmentArguments environment_;
  bool stdin_passed_ = false;
};

}  // namespace sandboxctl
