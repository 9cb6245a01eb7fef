#pragma once

#include "runtime/base/message_socket.h"

namespace sandbox {

/// The other end of a FileAgent: makes the calls that come over `host`, one after the other, until
/// it is closed. For a process of its own, with capabilities in the user namespace of a sandbox.
///
/// The host is trusted, the files are not: names are resolved below a descriptor that came with the
/// request or not at all (EINVAL), so no mistake of a request reaches what the process itself could
/// name. Reading a file of procfs takes ten seconds at most; then the process is killed by SIGALRM,
/// because a process in the sandbox can make a file of procfs wait for it (userfaultfd(2)).
void serve_file_calls(const MessageSocket& host);

}  // namespace sandbox
