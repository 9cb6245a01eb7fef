#pragma once

#include <sys/types.h>

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

/// The pid that `word` is, or that of the newest command with this tag. Throws Failure when there
/// is none.
pid_t find_command(const sandbox::Sandbox& box, const std::string& word);

}  // namespace sandboxctl
