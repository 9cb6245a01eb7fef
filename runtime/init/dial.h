#pragma once

#include "proc/control_request.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Begins the connection that `request` asks for, in the network namespace of this process. Empty
/// when the port is closed, or when the kernel allows no such socket.
UniqueFd dial(const Dial& request) noexcept;

}  // namespace sandbox
