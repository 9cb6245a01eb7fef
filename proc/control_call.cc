#include "proc/control_call.h"

#include <poll.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "runtime/base/deadline.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

void wait_readable(int fd, std::chrono::milliseconds timeout) {
  const auto deadline = deadline_after(timeout);
  pollfd answer{fd, POLLIN, 0};
  for (;;) {
    const int ready = ::poll(&answer, 1, milliseconds_until(deadline));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw Error(errno, "poll", "sandbox");
    if (ready == 0) {
      throw Error(ETIMEDOUT, "ask", "sandbox",
                  "its PID 1 does not answer; has somebody stopped it with SIGSTOP?");
    }
  }
}

}  // namespace

ControlCall::ControlCall(const MessageSocket& control, const ControlRequest& request) {
  auto [ours, theirs] = MessageSocket::pair();
  const int fd = theirs.fd();
  control.send(encode(request), {&fd, 1});
  answer_ = std::move(ours);
}

ControlCall::Answer ControlCall::wait(std::chrono::milliseconds timeout) const {
  wait_readable(answer_.fd(), timeout);
  std::optional<Message> message = answer_.receive();
  if (!message) throw Error(EPIPE, "ask", "sandbox", "the sandbox has ended");
  return {.reply = decode_control_reply(message->payload), .fds = std::move(message->fds)};
}

}  // namespace sandbox
