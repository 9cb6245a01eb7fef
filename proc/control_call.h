#pragma once

#include <chrono>
#include <vector>

#include "proc/control_request.h"
#include "runtime/base/message_socket.h"

namespace sandbox {

/// A question to PID 1 whose answer is on its way, so that many can be asked at once.
class ControlCall {
 public:
  /// Sends `request`. Throws Error: EPIPE when the sandbox has ended.
  ControlCall(const MessageSocket& control, const ControlRequest& request);

  struct Answer {
    ControlReply reply;
    std::vector<UniqueFd> fds;
  };
  /// Waits for the answer. Throws Error: ETIMEDOUT, or EPIPE when the sandbox has ended.
  Answer wait(std::chrono::milliseconds timeout) const;

 private:
  MessageSocket answer_;
};

/// How long PID 1, which is never busy for long, may take before somebody must have stopped it.
inline constexpr std::chrono::seconds kInitPatience{5};

}  // namespace sandbox
