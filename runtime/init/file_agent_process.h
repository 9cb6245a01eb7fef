#pragma once

#include <span>

#include "runtime/base/message_socket.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// What the calling process, a child of the launcher, does for a FileAgent of the library: enters
/// `namespaces` of one sandbox, its user namespace first, gives up every capability but those over
/// files there, and makes file calls until `host` is closed.
///
/// Not its mount namespace, because files come by descriptors, and a process in there would keep
/// its mounts alive; nor its pid namespace, so that nothing inside sees it, signals it or traces
/// it. The launcher may do that because its uid owns the user namespace: user_namespaces(7). What
/// belongs to another one, the network of the host, stays as it is.
/// Throws Error.
void run_file_agent(const MessageSocket& host, std::span<const UniqueFd> namespaces);

}  // namespace sandbox
