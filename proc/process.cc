#include "sandbox/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "proc/pseudo_terminal.h"
#include "proc/status_message.h"
#include "runtime/base/block_sigpipe.h"
#include "runtime/base/deadline.h"
#include "runtime/base/message_socket.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr int kWidePipeBytes = 1 << 20;
// How long output is awaited after the command's end when a daemon of it keeps a pipe open.
constexpr std::chrono::milliseconds kDrainTime{100};

constexpr std::size_t kMostGaps = 1024;

// One pipe of a command, as stream() sees it.
struct Source {
  UniqueFd& fd;
  Stream stream = Stream::Stdout;
  std::size_t owed = 0;  // Was in the pipe when the command ended: delivered whatever it takes.
  bool widened = false;
};

std::size_t bytes_waiting(int pipe) {
  int waiting = 0;
  check(::ioctl(pipe, FIONREAD, &waiting), "ioctl(FIONREAD)", "pipe");
  return static_cast<std::size_t>(waiting);
}

// Only for those that fill a small pipe: the kernel counts pipe buffers against the user
// (pipe(7), pipe-user-pages-soft), and 32 wide ones would take all that he has. Measured: 3.2 GB/s
// against 0.76. A refusal costs speed alone.
void widen(Source& source) noexcept {
  source.widened = true;
  ::fcntl(source.fd.get(), F_SETPIPE_SZ, kWidePipeBytes);
}

// A process inside can open its end of the pipe for reading, /proc/self/fd/1, and be faster than we
// are between poll(2) and read(2): the host must not wait for it then.
void make_nonblocking(const UniqueFd& pipe) {
  if (pipe) check(::fcntl(pipe.get(), F_SETFL, O_NONBLOCK), "fcntl(F_SETFL)", "pipe");
}

// Delivers one chunk. The pipe was readable or at its end a moment ago.
void pump(Source& source, std::span<char> buffer, const OutputCallback& callback) {
  ssize_t got = ::read(source.fd.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return;
  if (got < 0 && errno == EIO) got = 0;  // Nobody has the terminal open any more.
  if (got < 0 && errno == EAGAIN) {
    source.owed = 0;  // Somebody inside has read it.
    return;
  }
  if (check(got, "read", "output") == 0) {
    source.fd.reset();
    source.owed = 0;
    return;
  }
  const auto size = static_cast<std::size_t>(got);
  source.owed -= std::min(source.owed, size);
  constexpr std::size_t kDefaultPipeBytes = 65536;
  if (!source.widened && size >= kDefaultPipeBytes) widen(source);
  callback(source.stream, {buffer.data(), size});
}

}  // namespace

Process::Process(pid_t pid, Channels channels) noexcept
    : pid_(pid), channels_(std::move(channels)) {}

Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(channels_, other.channels_);
  std::swap(outcome_, other.outcome_);
  std::swap(usage_, other.usage_);
  std::swap(left_daemons_, other.left_daemons_);
  std::swap(lost_, other.lost_);
  std::swap(gaps_, other.gaps_);
  std::swap(told_all_, other.told_all_);
  return *this;
}

Process::~Process() {
  if (outcome_ || !channels_.status || channels_.output == Output::Kept) return;
  try {
    kill(SIGKILL, Target::Tree);
  } catch (const Error&) {
    // Out of memory for one message: the command lives until its sandbox ends.
  }
}

void Process::stream(const OutputCallback& callback, const GapCallback& on_gap) {
  if (channels_.feed == Feed::Command) {
    stream_from_command(callback);
  } else {
    stream_from_init(callback, on_gap);
  }
}

void Process::stream_from_command(const OutputCallback& callback) {
  const auto buffer = std::make_unique<std::array<char, kChunkBytes>>();
  std::array<Source, 2> sources{Source{channels_.stdout_reader, Stream::Stdout},
                                Source{channels_.stderr_reader, Stream::Stderr}};
  for (const Source& source : sources) make_nonblocking(source.fd);
  auto give_up = Clock::time_point::max();
  const auto note_end = [&] {
    give_up = Clock::now() + kDrainTime;
    for (Source& source : sources) {
      if (source.fd) source.owed = bytes_waiting(source.fd.get());
    }
  };
  if (outcome_) note_end();
  for (;;) {
    const bool open = sources[0].fd || sources[1].fd;
    const bool owed = sources[0].owed + sources[1].owed > 0;
    if (outcome_ && (!open || (!owed && Clock::now() >= give_up))) return;

    // A negative fd is passed over by poll(2).
    std::array<pollfd, 3> waiting{{{sources[0].fd.get(), POLLIN, 0},
                                   {sources[1].fd.get(), POLLIN, 0},
                                   {outcome_ ? -1 : channels_.status.get(), POLLIN, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(), milliseconds_until(give_up));
    if (ready < 0 && errno != EINTR) throw Error(errno, "poll", "output");
    if (ready == 0) {
      for (Source& source : sources) source.owed = 0;  // Nothing left, whoever has read it.
    }
    if (ready <= 0) continue;
    if (waiting[2].revents != 0 && receive_end(0)) note_end();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (waiting.at(i).revents != 0) pump(sources.at(i), *buffer, callback);
    }
  }
}

// Init closes the pipes when everything is in them. The status socket ends with the last of it.
void Process::stream_from_init(const OutputCallback& callback, const GapCallback& on_gap) {
  const auto buffer = std::make_unique<std::array<char, kChunkBytes>>();
  std::array<Source, 2> sources{Source{channels_.stdout_reader, Stream::Stdout},
                                Source{channels_.stderr_reader, Stream::Stderr}};
  for (const Source& source : sources) make_nonblocking(source.fd);
  const auto deliver_in_order = [&](Stream from, std::string_view chunk) {
    receive_all();  // A gap is told before what follows it is in the pipe.
    deliver(from, chunk, callback, on_gap);
  };
  while (sources[0].fd || sources[1].fd || (!outcome_ && channels_.feed == Feed::Init)) {
    std::array<pollfd, 3> waiting{{{sources[0].fd.get(), POLLIN, 0},
                                   {sources[1].fd.get(), POLLIN, 0},
                                   {outcome_ ? -1 : channels_.status.get(), POLLIN, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(), -1);
    if (ready < 0 && errno != EINTR) throw Error(errno, "poll", "output");
    if (ready <= 0) continue;
    if (waiting[2].revents != 0) take_message();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (waiting.at(i).revents != 0) pump(sources.at(i), *buffer, deliver_in_order);
    }
  }
  receive_all();
  for (const Stream stream : {Stream::Stdout, Stream::Stderr})
    deliver(stream, {}, callback, on_gap);
}

// Each gap where it belongs.
void Process::deliver(Stream from, std::string_view chunk, const OutputCallback& callback,
                      const GapCallback& on_gap) {
  uint64_t& offset = channels_.offsets.at(static_cast<std::size_t>(from));
  const auto pass = [&](std::size_t size) {
    if (size == 0) return;
    offset += size;
    callback(from, chunk.substr(0, size));
    chunk.remove_prefix(size);
  };
  for (auto gap = gaps_.begin(); gap != gaps_.end();) {
    const bool is_later = gap->offset > offset + chunk.size();
    if (gap->stream != from || is_later) {
      ++gap;
      continue;
    }
    const OutputGap here = *gap;
    gap = gaps_.erase(gap);
    pass(here.offset - std::min(offset, here.offset));
    offset += here.bytes;
    if (on_gap) on_gap(here);
  }
  pass(chunk.size());
}

uint64_t Process::lost_bytes(Stream stream) {
  receive_all();
  return lost_.at(static_cast<std::size_t>(stream));
}

bool Process::write_stdin(std::string_view data) {
  while (!data.empty()) {
    const auto wrote = try_write_stdin(data, std::chrono::milliseconds::max());
    if (!wrote) return false;
    data.remove_prefix(*wrote);
  }
  return true;
}

std::optional<std::size_t> Process::try_write_stdin(std::string_view data,
                                                    std::chrono::milliseconds timeout) {
  if (!channels_.stdin_writer) {
    throw Error(EBADF, "write", "stdin", "start the command with Stdin::Pipe");
  }
  // A terminal takes what is typed after its last program has ended.
  if (channels_.terminal && outcome_) return std::nullopt;
  make_nonblocking(channels_.stdin_writer);
  // Only this thread, only this pipe: a host that has not ignored SIGPIPE must not die of a command
  // that closed its stdin.
  const BlockSigpipe blocked;
  const auto deadline = deadline_after(timeout);
  std::size_t written = 0;
  while (written < data.size()) {
    const ssize_t wrote =
        ::write(channels_.stdin_writer.get(), data.data() + written, data.size() - written);
    if (wrote < 0 && (errno == EPIPE || errno == EIO)) return std::nullopt;
    if (wrote < 0 && errno == EAGAIN) {
      if (Clock::now() >= deadline) break;
      pollfd room{channels_.stdin_writer.get(), POLLOUT, 0};
      ::poll(&room, 1, milliseconds_until(deadline));
    } else if (wrote >= 0 || errno != EINTR) {
      written += static_cast<std::size_t>(check(wrote, "write", "stdin"));
    }
  }
  return written;
}

void Process::close_stdin() noexcept {
  if (!channels_.stdin_writer) return;
  if (channels_.terminal) {
    // VEOF as it is set by default. A terminal so full that it does not fit would lose it anyway.
    [[maybe_unused]] const ssize_t wrote = ::write(channels_.stdin_writer.get(), "\x04", 1);
    return channels_.stdin_writer.reset();
  }
  channels_.stdin_writer.reset();
  if (channels_.output != Output::Kept || !channels_.status) return;
  try {
    send_message(channels_.status.get(), encode(CloseStdin{}));
  } catch (const Error&) {
    // It has ended, or its sandbox has.
  }
}

void Process::resize(TerminalSize size) {
  if (!channels_.terminal) {
    throw Error(ENOTTY, "resize", "process", "start the command with Command::terminal");
  }
  set_terminal_size(channels_.terminal.get(), size);
}

bool Process::kill(int signal, Target target) {
  require_signal(signal);
  if (outcome_) return false;
  try {
    send_message(channels_.status.get(), encode(SignalRequest{.signal = signal, .target = target}));
    return true;
  } catch (const Error& error) {
    if (error.code().value() == EPIPE) return false;
    throw;
  }
}

Outcome Process::wait() {
  while (!receive_end(-1)) {
  }
  return *outcome_;
}

std::optional<Outcome> Process::wait_for(std::chrono::milliseconds timeout) {
  const auto deadline = deadline_after(timeout);
  while (!receive_end(milliseconds_until(deadline))) {
    if (Clock::now() >= deadline) return std::nullopt;
  }
  return outcome_;
}

bool Process::receive_end(int timeout_ms) {
  if (outcome_) return true;
  if (!channels_.status) throw Error(EBADF, "wait", "process", "it was detached or moved away");
  pollfd status{channels_.status.get(), POLLIN, 0};
  const int ready = ::poll(&status, 1, timeout_ms);
  if (ready < 0 && errno != EINTR) throw Error(errno, "poll", "status");
  if (ready > 0) take_message();
  return outcome_.has_value();
}

void Process::receive_all() {
  if (!channels_.status) return;
  pollfd status{channels_.status.get(), POLLIN, 0};
  while (!told_all_ && ::poll(&status, 1, 0) == 1) take_message();
}

// Waits for one.
void Process::take_message() {
  const std::optional<Message> message = receive_message(channels_.status.get());
  if (!message) {
    told_all_ = true;
    if (!outcome_) outcome_ = channels_.when_gone ? channels_.when_gone() : SandboxGone{};
    return;
  }
  const StatusMessage decoded = decode_status(message->payload);
  if (const auto* gap = std::get_if<Gap>(&decoded)) {
    lost_.at(static_cast<std::size_t>(gap->stream)) += gap->bytes;
    gaps_.push_back({.stream = gap->stream, .offset = gap->offset, .bytes = gap->bytes});
    // Who reads the descriptors himself never calls stream().
    if (gaps_.size() > kMostGaps) gaps_.pop_front();
  } else if (const auto* ended = std::get_if<Ended>(&decoded)) {
    outcome_ = ended->outcome;
    usage_ = ended->usage;
    left_daemons_ = ended->left_daemons;
  } else {
    throw Error(EBADMSG, "wait", "status message");
  }
}

void Process::detach() noexcept {
  if (!channels_.status) return;
  try {
    send_message(channels_.status.get(), encode(Detach{}));
  } catch (const Error&) {
    // It has ended, or its sandbox has.
  }
  channels_.status.reset();
}

}  // namespace sandbox
