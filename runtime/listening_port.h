#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/message_socket.h"

namespace sandbox {

/// True when a process listens on the TCP port of any address in the network of the sandbox that
/// `control` is a connection to. Looked at and not connected to, because a server may serve one
/// connection and end. Throws Error when the sandbox has ended.
bool is_listening(const MessageSocket& control, uint16_t port);

/// The same of the content of /proc/net/tcp or tcp6: proc(5).
bool has_listener(std::string_view table, uint16_t port);

}  // namespace sandbox
