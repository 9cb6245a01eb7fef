#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string_view>

#include "sandbox/outcome.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

enum class Stream { Stdout, Stderr };

/// What a signal is sent to.
enum class Target {
  Process,  ///< The command itself.
  Tree,     ///< The command and everything it started, daemons included.
};

/// Receives output as it comes. `chunk` is valid during the call; no line or UTF-8 boundary is
/// kept.
using OutputCallback = std::function<void(Stream from, std::string_view chunk)>;

/// A command running in a sandbox.
///
/// Move-only, one thread at a time; different processes may be used from different threads. The
/// command writes into pipes: nobody reading means that it blocks when they are full (1 MiB), and
/// that nothing is lost. Destroying a Process that has not ended kills its tree; detach() does not.
class Process {
 public:
  /// For Commands::start: the descriptors of a command that init has started.
  struct Channels {
    UniqueFd status;         ///< SOCK_SEQPACKET to init; gives Exited, takes signals.
    UniqueFd stdin_writer;   ///< Empty when stdin is at end of file.
    UniqueFd stdout_reader;  ///< Pipe.
    UniqueFd stderr_reader;  ///< Pipe.
  };
  Process(pid_t pid, Channels channels) noexcept;
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  /// Its pid as processes in the sandbox see it.
  pid_t pid() const noexcept { return pid_; }

  /// Readable when the command has ended; for poll(2). The outcome is then had by wait().
  int status_fd() const noexcept { return channels_.status.get(); }
  /// Pipe with the command's output; for a host with its own event loop. Blocking until stream()
  /// was called; set O_NONBLOCK, for a process inside may read what poll(2) has announced.
  int stdout_fd() const noexcept { return channels_.stdout_reader.get(); }
  int stderr_fd() const noexcept { return channels_.stderr_reader.get(); }
  /// Pipe to the command's stdin; -1 when it has none. May be made non-blocking.
  int stdin_fd() const noexcept { return channels_.stdin_writer.get(); }

  /// Closes our end of one output pipe, so that the command gets SIGPIPE when it writes on.
  void close_output(Stream stream) noexcept {
    (stream == Stream::Stdout ? channels_.stdout_reader : channels_.stderr_reader).reset();
  }

  /// Delivers all output to `callback`, in the order of each stream, until the command has ended
  /// and both pipes are empty. Daemons that keep a pipe open are not waited for: output is awaited
  /// for 100 ms after the end, and all that was in the pipes at the end is delivered whatever it
  /// takes. An exception of the callback leaves the process running and passes through.
  void stream(const OutputCallback& callback);

  /// Writes all of `data`, blocking while the command does not read. False when the command has
  /// closed its stdin; EBADF when the command was started without stdin.
  bool write_stdin(std::string_view data);
  /// End of file for the command. Twice is fine.
  void close_stdin() noexcept { channels_.stdin_writer.reset(); }

  /// Sends `signal`. False when the command has ended already. EINVAL for no such signal.
  bool kill(int signal = SIGKILL, Target target = Target::Process);

  /// Waits for the end and gives it, as often as asked. Reads no output: a command blocked on a
  /// full pipe waits for stream().
  Outcome wait();
  /// The same with a deadline; nothing when the command still runs then.
  std::optional<Outcome> wait_for(std::chrono::milliseconds timeout);

  /// What it used. Zeros until it has ended.
  const Usage& usage() const noexcept { return usage_; }

  /// True when other processes, init aside, were still running in the sandbox when it ended: its
  /// daemons or other commands. False until it has ended.
  bool left_daemons() const noexcept { return left_daemons_; }

  /// Lets the command run on without this object, until its sandbox ends.
  void detach() noexcept;

 private:
  bool receive_end(int timeout_ms);

  pid_t pid_ = 0;
  Channels channels_;
  std::optional<Outcome> outcome_;
  Usage usage_;
  bool left_daemons_ = false;
};

}  // namespace sandbox
