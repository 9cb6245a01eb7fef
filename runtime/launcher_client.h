#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <span>

#include "runtime/base/message_socket.h"
#include "runtime/init/launch_request.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// The host's side of the launcher: a child process of ours, started from a sealed memfd.
///
/// launch() may be called from several threads at once. Neither SIGCHLD's disposition nor somebody
/// else's wait(2) matters: only the socket tells whether it lives. One that was killed is replaced.
class LauncherClient {
 public:
  /// `uid` and `gid` are what a launcher with euid 0 becomes.
  LauncherClient(uid_t uid, gid_t gid) noexcept : uid_(uid), gid_(gid) {}

  /// Starts the launcher, if it is not there, for a launch() that comes soon: its process begins
  /// while the caller prepares the request. Throws Error.
  void prepare() { child(); }
  /// Asks for a sandbox, and starts the launcher for the first one. `fds` are those of the request;
  /// answers come on the other end of the first, and end of file there means that the launcher died
  /// on the way. Throws Error.
  void launch(const LaunchRequest& request, std::span<const int> fds);
  /// Starts a process for a FileAgent in `namespaces`, the user namespace first, of a sandbox that
  /// any launcher with our uid has made. Gives its connection, which ends when it could not enter
  /// them. Throws Error.
  MessageSocket start_file_agent(std::span<const UniqueFd> namespaces);

  /// The process that the next sandbox comes from. Throws Error.
  pid_t pid();

 private:
  // Ends the launcher; the sandboxes it made live on.
  struct Child {
    MessageSocket socket;
    UniqueFd pidfd;
    pid_t pid = -1;

    Child(uid_t uid, gid_t gid);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();
  };
  std::shared_ptr<const Child> child();  // Starts it if it is not there.
  void replace(const std::shared_ptr<const Child>& dead);
  void send(std::span<const std::byte> payload, std::span<const int> fds);

  uid_t uid_;
  gid_t gid_;
  std::mutex mutex_;
  std::shared_ptr<const Child> child_;
};

}  // namespace sandbox
