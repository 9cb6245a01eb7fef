#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "runtime/sandboxctl/detach_keys.h"
#include "runtime/sandboxctl/relay.h"
#include "sandbox/sandbox.h"

namespace sandboxctl {

/// Connects to the kept command `pid`. Throws Failure.
sandbox::Process connect_command(const sandbox::Sandbox& box, pid_t pid,
                                 const sandbox::ConnectOptions& from);

/// How a kept command is followed.
struct Following {
  Relay::Leave leaving = Relay::Leave::AtHangup;
  sandbox::Stdin input = sandbox::Stdin::Empty;
  DetachKeys detach_keys{};  ///< For one in a terminal whose input is passed.
  bool redraw = false;       ///< Of one in a terminal, whose output begins in the middle.
};

/// Relays until the command has ended, and gives its outcome; nothing when the detach keys were
/// typed. Ends this process by the signal at which it leaves the command, and by SIGPIPE when
/// nobody reads: the command lives on.
std::optional<sandbox::Outcome> follow_command(sandbox::Process& process, const Following& how);

/// The same to an exit code. Says what that alone does not tell, in the name of `command`, and how
/// to come back after the detach keys.
int follow_to_the_end(sandbox::Process& process, const Following& how, const std::string& id,
                      const std::string& command);

/// --detach-keys.
void add_detach_keys(CLI::App& app, std::string& keys);

}  // namespace sandboxctl
