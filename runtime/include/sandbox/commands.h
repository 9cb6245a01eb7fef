#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/outcome.h"
#include "sandbox/process.h"

namespace sandbox {

struct CommandContext;

/// Where a command's stdin comes from.
enum class Stdin {
  Empty,  ///< End of file at once.
  Pipe,   ///< Process::write_stdin and close_stdin.
};

/// A command to start. argv[0] is looked up in PATH *inside* the sandbox unless it has a '/'.
struct Command {
  std::vector<std::string> argv = {};
  /// Directory inside the sandbox. Empty: the home directory. Relative: to the home directory.
  std::string cwd = {};
  /// Added to the sandbox's environment; the same name replaces. Not visible to other commands.
  std::map<std::string, std::string> env = {};
  /// Who runs it, by name. Empty: the sandbox's user.
  std::string user = {};
  Stdin input = Stdin::Empty;
  /// Wall-clock limit, CLOCK_MONOTONIC, counted by PID 1: the whole tree is then killed.
  std::optional<std::chrono::milliseconds> timeout = {};
};

/// A command that has ended, with what it printed.
struct CommandResult {
  Outcome outcome;
  std::string stdout_text;
  std::string stderr_text;
  /// Output beyond Commands::kCaptureBytes a stream, which is read and dropped.
  uint64_t dropped_bytes = 0;
  Usage usage;

  /// The exit code as a shell gives it: 128+N after signal N, 124 after a time limit.
  int exit_code() const;
};

/// Starts commands in one sandbox. Safe to use from several threads at once.
class Commands {
 public:
  /// What run() keeps of each stream; use start() and stream() for more.
  static constexpr uint64_t kCaptureBytes = 64 << 20;

  explicit Commands(std::shared_ptr<const CommandContext> context) noexcept
      : context_(std::move(context)) {}

  /// Starts `command` and returns when its program is running. Throws Error: ENOENT (no such
  /// program or cwd), EACCES (not executable), ENOEXEC, E2BIG, EINVAL (NUL or empty argv, bad
  /// variable name, unknown user), EPIPE when the sandbox has ended.
  Process start(const Command& command);

  /// Runs to the end and collects the output.
  CommandResult run(const Command& command);

  /// Runs a line of shell: `/bin/bash -l -c line`, else `/bin/sh -c line`. `how.argv` must be
  /// empty.
  CommandResult run(std::string_view line, Command how = {});

 private:
  std::shared_ptr<const CommandContext> context_;
};

}  // namespace sandbox
