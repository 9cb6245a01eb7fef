#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace sandboxctl {

/// The words `ID PID` of logs, attach and kill.
struct CommandWords {
  std::string id;
  std::string command;  ///< A pid or a tag.
};

/// Throws Failure (usage) unless `words` are two.
CommandWords command_words(const std::string& verb, const std::vector<std::string>& words,
                           const char* usage);

/// The pid that `word` is, or that of the newest command with this tag: of those that run, if one
/// does. Throws Failure when there is none.
pid_t find_command(const sandbox::Sandbox& box, const std::string& word);

/// What is known of the command `pid`; nothing when there is none.
std::optional<sandbox::CommandInfo> look_at_command(const sandbox::Sandbox& box, pid_t pid);

}  // namespace sandboxctl
