#pragma once

#include <chrono>
#include <optional>

#include "runtime/base/message_socket.h"
#include "templates/local_url.h"

namespace sandbox {

/// Asks the server at `url`, in the network of the sandbox that `control` is a connection to, and
/// gives the status of its answer. Nothing when nobody listens or what comes by `deadline` is no
/// HTTP. PID 1 makes the connection, so neither a program inside nor a way in from here is needed.
/// Throws Error when the sandbox has ended.
std::optional<int> ask_local_server(const MessageSocket& control, const LocalUrl& url,
                                    std::chrono::steady_clock::time_point deadline);

}  // namespace sandbox
