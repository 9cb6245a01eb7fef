#pragma once

#include <sys/types.h>

#include "runtime/base/message_socket.h"
#include "runtime/init/launch_request.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// The host's side of the launcher: a child process of ours, started from a sealed memfd.
///
/// launch() may be called from several threads at once. Neither SIGCHLD's disposition nor somebody
/// else's wait(2) matters: only the socket tells whether it lives.
class LauncherClient {
 public:
  /// `uid` and `gid` are what a launcher with euid 0 becomes. Throws Error.
  LauncherClient(uid_t uid, gid_t gid);
  LauncherClient(const LauncherClient&) = delete;
  LauncherClient& operator=(const LauncherClient&) = delete;
  /// Ends the launcher; the sandboxes it made live on.
  ~LauncherClient();

  /// Asks for a sandbox. Answers come on the other end of `control`. Throws Error: EPIPE when the
  /// launcher has died.
  void launch(const LaunchRequest& request, int control) const;

 private:
  MessageSocket socket_;
  UniqueFd pidfd_;
};

}  // namespace sandbox
