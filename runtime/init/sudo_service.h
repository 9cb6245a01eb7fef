#pragma once

#include <sys/types.h>

#include <cstdint>

#include "proc/spawner.h"
#include "runtime/base/message_socket.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// One use of sudo: a process of its own between the sudo of a sandbox, which is anybody's program,
/// and the command that it wants run as another user.
///
/// What the client says is read here and not in PID 1, whose clocks must go on whatever it sends:
/// a message that does not come, descriptors that take long to close. The process is worth nothing:
/// it has the tag of the client's command, and ends, with the command of sudo, when the client
/// does.

/// The tag of the process at the other end of `client` when its uid is `user` or 0; nothing when it
/// may not ask.
std::optional<uint64_t> tag_of_client(const UniqueFd& client, uid_t user, int proc);

/// Forks that process, into the cgroup of commands, and returns its pid. Its descriptors are
/// `client` and nothing else of PID 1's.
pid_t start_sudo(UniqueFd client, const Spawner& spawner, uint64_t tag);

/// What the process does. The client sends what sudo_request.h says, is answered as a host is
/// (status_message.h), and sends SignalRequests, which go to the process group of the command.
/// Throws Error.
void serve_sudo(const MessageSocket& client, const Spawner& spawner, uint64_t tag);

}  // namespace sandbox
