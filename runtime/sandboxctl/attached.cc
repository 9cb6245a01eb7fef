#include "runtime/sandboxctl/attached.h"

#include <poll.h>

#include <utility>

#include "runtime/sandboxctl/opening.h"

namespace sandboxctl {

Attached::Attached(const char* doing, std::string id)
    : doing_(doing),
      id_(std::move(id)),
      runtime_(start_runtime()),
      box_(attach_sandbox(runtime_, id_)) {}

void Attached::require_alive() const {
  pollfd polled{.fd = box_.pidfd(), .events = POLLIN, .revents = 0};
  if (::poll(&polled, 1, 0) <= 0) return;
  throw Failure(kFailed, {.doing = doing_, .subject = id_, .reason = "the sandbox has ended"});
}

}  // namespace sandboxctl
