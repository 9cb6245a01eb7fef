#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/outcome.h"

namespace sandbox {

/// Where a command's output goes.
enum class Output {
  Piped,  ///< To the Process that started it, whose end is the command's end.
  Kept,   ///< To a ring in the sandbox, beside: the command outlives its starter.
};

/// What happens to output beyond Command::max_output.
enum class OnExcess {
  Kill,      ///< The command and its tree are killed: OutputLimit. What came before is delivered.
  KeepHead,  ///< The rest is read and dropped.
  KeepTail,  ///< The newest bytes are kept; what is delivered begins with them.
};

enum class CommandState {
  Running,
  Stopped,  ///< By a signal: SIGSTOP, SIGTSTP.
  Ended,    ///< Its output is still there.
};

/// A command of a sandbox, as Commands::list() tells.
struct CommandInfo {
  /// As much of argv, and of env_names, is told.
  static constexpr std::size_t kListedBytes = 4096;

  pid_t pid = 0;
  std::vector<std::string> argv;
  std::string cwd;                     ///< It was started there.
  std::vector<std::string> env_names;  ///< Names of its variables: values may be secrets.
  std::string tag;                     ///< Command::tag.
  Output output = Output::Piped;
  bool in_terminal = false;  ///< Command::terminal.
  CommandState state = CommandState::Running;
  std::optional<Outcome> outcome;    ///< Of one that has ended.
  std::chrono::milliseconds age{0};  ///< Since it was started.
  /// What it has printed since then. Zeros for Output::Piped.
  uint64_t stdout_bytes = 0;
  uint64_t stderr_bytes = 0;
};

}  // namespace sandbox
