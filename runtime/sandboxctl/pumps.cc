#include "runtime/sandboxctl/pumps.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/error.h"

namespace sandboxctl {
namespace {

constexpr size_t kPieceBytes = 1 << 20;  // A whole pipe of the library at once.
constexpr size_t kInputBytes = 64 << 10;

bool again(int error) { return error == EAGAIN || error == EINTR; }

// Of a pipe, or of a terminal that nobody has open any more.
bool at_end(ssize_t got) { return got == 0 || (got < 0 && errno == EIO); }

// Bytes that wait in a pipe.
uint64_t waiting(int fd) {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 ? static_cast<uint64_t>(count) : 0;
}

}  // namespace

void Pump::note_end() {
  if (!finished_) owed_ = waiting(source_) + buffered();
}

OutputPump::OutputPump(int source, int sink, const char* name)
    : Pump(source), sink_(sink), name_(name) {}

pollfd OutputPump::wanted() const {
  if (finished()) return {.fd = -1, .events = 0, .revents = 0};
  if (state_ == State::AwaitSink) return {.fd = sink_, .events = POLLOUT, .revents = 0};
  return {.fd = source(), .events = POLLIN, .revents = 0};
}

void OutputPump::advance() {
  if (pending_ > 0) {
    write_sink();
  } else if (splicing_) {
    splice();
  } else {
    read_source();
  }
}

// Pages pass by reference here. The command cannot change them under the reader: vmsplice(2) is
// refused in a sandbox.
void OutputPump::splice() {
  const ssize_t count = ::splice(source(), nullptr, sink_, nullptr, kPieceBytes, SPLICE_F_NONBLOCK);
  if (count > 0) {
    moved(static_cast<uint64_t>(count));
    state_ = State::AwaitSource;
  } else if (count == 0) {
    finish();
  } else if (errno == EAGAIN) {
    // Either end may be the reason; the one that was not just ready is waited for.
    state_ = state_ == State::AwaitSource ? State::AwaitSink : State::AwaitSource;
  } else if (errno == EPIPE || errno == EINTR) {
    sink_failed();
  } else {
    splicing_ = false;  // EINVAL: a terminal, or a file opened with O_APPEND.
    read_source();
  }
}

void OutputPump::read_source() {
  buffer_.resize(kPieceBytes);
  const ssize_t count = ::read(source(), buffer_.data(), buffer_.size());
  if (at_end(count)) return finish();
  if (count < 0 && again(errno)) return;
  if (count < 0) throw system_failure("reading the command's output", name_);
  begin_ = 0;
  pending_ = static_cast<size_t>(count);
  write_sink();
}

void OutputPump::write_sink() {
  const ssize_t count = ::write(sink_, buffer_.data() + begin_, pending_);
  if (count < 0) return sink_failed();
  begin_ += static_cast<size_t>(count);
  pending_ -= static_cast<size_t>(count);
  moved(static_cast<uint64_t>(count));
  state_ = pending_ > 0 ? State::AwaitSink : State::AwaitSource;
}

void OutputPump::sink_failed() {
  if (again(errno)) {
    state_ = State::AwaitSink;
  } else if (errno == EPIPE) {
    finish();
  } else {
    throw system_failure("writing the command's output", name_);
  }
}

CapturePump::CapturePump(int source, uint64_t limit)
    : Pump(source), limit_(limit), buffer_(kPieceBytes) {}

pollfd CapturePump::wanted() const {
  return {.fd = finished() ? -1 : source(), .events = POLLIN, .revents = 0};
}

void CapturePump::advance() {
  const ssize_t count = ::read(source(), buffer_.data(), buffer_.size());
  if (at_end(count)) return finish();
  if (count < 0 && again(errno)) return;
  if (count < 0) throw system_failure("reading", "the command's output");

  const auto bytes = static_cast<uint64_t>(count);
  const uint64_t kept = std::min(bytes, limit_ - text_.size());
  text_.append(buffer_.data(), kept);
  dropped_ += bytes - kept;
  moved(bytes);
}

InputPump::InputPump(int source, int sink) : Pump(source), sink_(sink) {
  const int flags = sandbox::check(::fcntl(sink_, F_GETFL), "fcntl", "stdin");
  sandbox::check(::fcntl(sink_, F_SETFL, flags | O_NONBLOCK), "fcntl", "stdin");
}

pollfd InputPump::wanted() const {
  if (finished()) return {.fd = -1, .events = 0, .revents = 0};
  if (state_ == State::AwaitRoom) return {.fd = sink_, .events = POLLOUT, .revents = 0};
  return {.fd = source(), .events = POLLIN, .revents = 0};
}

void InputPump::advance() {
  if (pending_ > 0) {
    write_sink();
  } else if (state_ == State::AwaitRoom) {
    state_ = State::AwaitSource;
  } else {
    read_source();
  }
}

void InputPump::read_source() {
  buffer_.resize(kInputBytes);
  const ssize_t count = ::read(source(), buffer_.data(), buffer_.size());
  if (at_end(count)) return finish();
  if (count < 0 && again(errno)) return;
  if (count < 0) throw system_failure("reading", "stdin");
  buffer_.resize(static_cast<size_t>(count));
  if (keys_) buffer_ = keys_->pass(buffer_);
  begin_ = 0;
  pending_ = buffer_.size();
  if (pending_ == 0 && detached()) return finish();
  if (pending_ > 0) write_sink();
}

void InputPump::write_sink() {
  const ssize_t count = ::write(sink_, buffer_.data() + begin_, pending_);
  // The command has closed its stdin, or is gone: its choice.
  if (count < 0 && (errno == EPIPE || errno == EIO)) return finish();
  if (count < 0 && !again(errno)) throw system_failure("writing", "the command's stdin");
  if (count > 0) {
    begin_ += static_cast<size_t>(count);
    pending_ -= static_cast<size_t>(count);
  }
  if (pending_ == 0 && detached()) return finish();
  state_ = State::AwaitRoom;
}

}  // namespace sandboxctl
