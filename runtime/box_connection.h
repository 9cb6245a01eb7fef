#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/message_socket.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// A control connection to PID 1 of a living detached sandbox.
struct BoxConnection {
  MessageSocket control;
  pid_t host_pid = 0;
  UniqueFd pidfd;
};

/// The socket `control` in `directory`, bound, for PID 1 to listen on. Throws Error.
UniqueFd bind_control_socket(int directory);

/// Connects to the PID 1 that listens there, whether or not it answers. `id` is for messages.
/// Throws Error: ESRCH when it has ended, EAGAIN when it is stopped and its backlog full.
BoxConnection connect_to_box(int directory, const std::string& id);

/// Throws Error with ESRCH.
[[noreturn]] void throw_sandbox_ended(const std::string& id_or_name);

}  // namespace sandbox
