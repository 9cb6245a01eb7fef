#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>

#include "sandbox/command_info.h"
#include "sandbox/outcome.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

enum class Stream { Stdout, Stderr };

/// In characters.
struct TerminalSize {
  uint16_t cols = 80;
  uint16_t rows = 24;
};

/// What a signal is sent to.
enum class Target {
  Process,  ///< The command itself.
  Tree,     ///< The command and everything it started, daemons included.
};

/// Receives output as it comes. `chunk` is valid during the call; no line or UTF-8 boundary is
/// kept.
using OutputCallback = std::function<void(Stream from, std::string_view chunk)>;

/// Bytes of a stream that are not there: more was printed than is kept, or than
/// Command::max_output lets through.
struct OutputGap {
  Stream stream = Stream::Stdout;
  uint64_t offset = 0;  ///< Where they would begin, from the beginning of the stream.
  uint64_t bytes = 0;
};
using GapCallback = std::function<void(const OutputGap& gap)>;

/// A command running in a sandbox.
///
/// Move-only, one thread at a time; different processes may be used from different threads. The
/// command writes into pipes: nobody reading means that it blocks when they are full (1 MiB), and
/// that nothing is lost. Destroying a Process that has not ended kills its tree; detach() does not.
///
/// Of a command with Output::Kept this is one connection among others. The command does not wait
/// for it: who falls more than 1 MiB behind misses what was overwritten, and is told how much. Only
/// one in a terminal waits for those who take part in its input. Destroying it ends nothing.
///
/// A command in a terminal (Command::terminal) has one stream in each direction. What it prints
/// comes as Stream::Stdout, with "\r\n" for "\n", and what is written is typed: "\x03" is Ctrl-C.
/// stdout_fd() may be the master of the terminal: it does not block, and read(2) fails with EIO
/// where a pipe is at its end.
class Process {
 public:
  /// Who writes into our pipes.
  enum class Feed {
    Command,   ///< The command itself.
    Init,      ///< PID 1 of the sandbox, until the command's end.
    Snapshot,  ///< PID 1, up to what there is now.
  };
  /// For Commands::start: the descriptors of a command that init has started.
  struct Channels {
    UniqueFd status;         ///< SOCK_SEQPACKET to init; gives Ended and gaps, takes signals.
    UniqueFd stdin_writer;   ///< Empty when stdin is at end of file.
    UniqueFd stdout_reader;  ///< Pipe.
    UniqueFd stderr_reader;  ///< Pipe.
    /// Of a command in a terminal: its master. stdin_writer is a copy of it, and so is
    /// stdout_reader, unless init feeds a pipe.
    UniqueFd terminal = UniqueFd();
    Feed feed = Feed::Command;
    Output output = Output::Piped;
    std::array<uint64_t, 2> offsets{};  ///< Of the first byte that comes, by stream.
    /// Says what happened when init is gone without a word. Empty: SandboxGone.
    std::function<Outcome()> when_gone;
  };
  Process(pid_t pid, Channels channels) noexcept;
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  /// Its pid as processes in the sandbox see it.
  pid_t pid() const noexcept { return pid_; }

  /// Readable when the command has ended, or a gap is to be told; for poll(2). wait_for(0) then
  /// gives the outcome, or nothing.
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
  /// takes. An exception of the callback leaves the process running and passes through. `on_gap`
  /// is called between what was before and what is behind a gap.
  void stream(const OutputCallback& callback, const GapCallback& on_gap = {});

  /// True when both pipes end by themselves once all that the command has written is in them. Else
  /// a daemon that the command left may keep them open, and who reads the descriptors himself must
  /// give up some time after the end.
  bool output_ends() const noexcept { return channels_.feed != Feed::Command; }
  /// How much of `stream` is missing, as far as has been told.
  uint64_t lost_bytes(Stream stream);

  /// Writes all of `data`, blocking while the command does not read. False when the command has
  /// closed its stdin; EBADF when the command was started without stdin.
  bool write_stdin(std::string_view data);
  /// Writes what the pipe takes within `timeout`, and tells how much that was; nothing when the
  /// command has closed its stdin. EBADF as above.
  std::optional<std::size_t> try_write_stdin(
      std::string_view data, std::chrono::milliseconds timeout = std::chrono::milliseconds(0));
  /// End of file for the command. Twice is fine. A kept command sees it when every Process that is
  /// connected to it has closed or is gone.
  void close_stdin() noexcept;

  bool has_terminal() const noexcept { return static_cast<bool>(channels_.terminal); }
  /// Tells the command, by SIGWINCH, how large its terminal is. Throws Error: ENOTTY when it has
  /// none.
  void resize(TerminalSize size);

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
  void stream_from_command(const OutputCallback& callback);
  void stream_from_init(const OutputCallback& callback, const GapCallback& on_gap);
  void deliver(Stream from, std::string_view chunk, const OutputCallback& callback,
               const GapCallback& on_gap);
  bool receive_end(int timeout_ms);
  void receive_all();
  void take_message();

  pid_t pid_ = 0;
  Channels channels_;
  std::optional<Outcome> outcome_;
  Usage usage_;
  bool left_daemons_ = false;
  bool told_all_ = false;
  std::array<uint64_t, 2> lost_{};
  std::deque<OutputGap> gaps_;  // Told, and not yet delivered by stream().
};

}  // namespace sandbox
