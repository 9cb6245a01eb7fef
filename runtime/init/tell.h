#pragma once

#include <cerrno>
#include <span>

#include "runtime/base/message_socket.h"
#include "sandbox/error.h"

namespace sandbox {

/// Sends `answer` to a host. One that has closed its end does not want to know; its sandbox goes
/// on.
template <typename Answer>
void tell(const MessageSocket& socket, const Answer& answer, std::span<const int> fds = {}) {
  try {
    socket.send(encode(answer), fds);
  } catch (const Error& error) {
    if (error.code().value() != EPIPE) throw;
  }
}

}  // namespace sandbox
