#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/command_info.h"
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
  /// Who runs it, by name or uid. Empty: the sandbox's user.
  std::string user = {};
  Stdin input = Stdin::Empty;
  /// Runs it in a terminal of this size, which is its controlling terminal and all of its three
  /// streams; `input` does not matter then. TERM is xterm-256color and LC_ALL is C.UTF-8 unless
  /// set. An empty argv is a shell to talk to: `/bin/bash -i -l`, else `/bin/sh -i -l`.
  std::optional<TerminalSize> terminal = {};
  /// Wall-clock limit, CLOCK_MONOTONIC, counted by PID 1: the whole tree is then killed.
  std::optional<std::chrono::milliseconds> timeout = {};
  /// The longest time without output on either stream. Time in which the host does not read counts
  /// for the host, not against the command.
  std::optional<std::chrono::milliseconds> idle_timeout = {};
  /// CPU time of the whole tree, children that have ended included. Looked at ten to a hundred
  /// times a second; processes too short-lived to be seen may cheat by a factor of two: a cgroup
  /// limit on `cpus` bounds the speed at which they do.
  std::optional<std::chrono::milliseconds> cpu_time = {};
  Output output = Output::Piped;
  /// The caller's name for it, at most 256 bytes; need not be unique.
  std::string tag = {};
  /// The most bytes of each stream, and what happens to more. OnExcess::KeepTail: at most 16 MiB.
  std::optional<uint64_t> max_output = {};
  OnExcess on_excess = OnExcess::Kill;
};

/// From where on a command's output is wanted: bytes from the beginning of each stream. What is no
/// longer kept is told as a gap.
struct ConnectOptions {
  uint64_t stdout_from = 0;
  uint64_t stderr_from = 0;
  /// Stdin::Empty takes no part in the command's stdin, and so does not keep it open.
  Stdin input = Stdin::Pipe;
};

/// A command that has ended, with what it printed.
struct CommandResult {
  Outcome outcome;
  std::string stdout_text;
  std::string stderr_text;
  /// Output beyond Commands::kCaptureBytes a stream, which is read and dropped, or beyond
  /// Command::max_output.
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

  /// All running commands of the sandbox, whoever started them, and the ended ones that were kept
  /// and are not given up yet: 256, and 64 MiB of output. By pid.
  std::vector<CommandInfo> list() const;

  /// Connects to a command with Output::Kept, running or ended: its output from the beginning, as
  /// far as it is kept, then live. Throws Error: ESRCH when there is none (any more), EINVAL for
  /// one that is not kept and for an offset beyond the end.
  Process connect(pid_t pid, const ConnectOptions& from = {}) const;
  /// The same with the newest command of that tag.
  Process connect(const std::string& tag, const ConnectOptions& from = {}) const;

  /// Delivers what the command has printed so far, without waiting for more. Errors as connect().
  void replay(pid_t pid, const OutputCallback& callback, const GapCallback& on_gap = {},
              const ConnectOptions& from = {}) const;

  /// Sends `signal` to any running command. False when there is none with this pid. With
  /// Target::Tree also to what an ended kept command has left; false when that is nothing. Throws
  /// Error: EINVAL for no such signal, and for PID 1, which ends with Sandbox::destroy.
  bool kill(pid_t pid, int signal = SIGKILL, Target target = Target::Process) const;

 private:
  Process start_program(const Command& command);
  Process start_in_terminal(const Command& command);
  Process connect_to(pid_t pid, const std::string& tag, const ConnectOptions& from,
                     Process::Feed feed) const;

  std::shared_ptr<const CommandContext> context_;
};

}  // namespace sandbox
