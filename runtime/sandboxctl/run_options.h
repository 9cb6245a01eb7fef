#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sandbox/commands.h"
#include "sandbox/options.h"

namespace sandboxctl {

/// What the command line of `run` asks for.
struct RunOptions {
  sandbox::SandboxOptions sandbox;
  std::string config;  ///< Its template is built before.
  sandbox::Command command;
  bool json = false;
  bool stats = false;
  bool explain = false;
};

/// Nothing when help was asked for and has been printed. Throws Failure.
std::optional<RunOptions> parse_run(const std::vector<std::string>& arguments);

}  // namespace sandboxctl
