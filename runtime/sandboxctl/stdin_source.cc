#include "runtime/sandboxctl/stdin_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

constexpr size_t kReadBytes = 1 << 20;

}  // namespace

void throw_if_interrupted(const SignalInbox& inbox) {
  if (const auto received = inbox.next_ending()) throw Interrupted(received->number);
}

StdinSource::StdinSource(const SignalInbox& inbox) : inbox_(inbox), buffer_(kReadBytes) {}

// With poll(2), because a signal that comes just before a blocking read(2) would wait for input.
std::string_view StdinSource::next() {
  while (true) {
    pollfd polled[] = {{inbox_.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (::poll(polled, 2, -1) < 0 && errno != EINTR) throw system_failure("reading", "stdin");
    throw_if_interrupted(inbox_);
    if (polled[1].revents == 0) continue;
    const ssize_t count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (count >= 0) return {buffer_.data(), static_cast<size_t>(count)};
    if (errno != EINTR && errno != EAGAIN) throw system_failure("reading", "stdin");
  }
}

}  // namespace sandboxctl
