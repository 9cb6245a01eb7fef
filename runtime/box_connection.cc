#include "runtime/box_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <utility>

#include "fs/root_dir.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kSocket = "control";

// sun_path has 108 bytes; through the descriptor any directory is near enough.
sockaddr_un address_in(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fd_path(directory) + '/' + kSocket;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

UniqueFd make_socket(int flags) {
  return UniqueFd(
      check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0), "socket", "control"));
}

// Not while it is stopped and its backlog is full: a host never waits for a sandbox.
MessageSocket connect_socket(int directory, const std::string& id) {
  UniqueFd socket = make_socket(SOCK_NONBLOCK);
  const sockaddr_un address = address_in(directory);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) throw_sandbox_ended(id);
    throw Error(errno, "connect", id, "its PID 1 does not answer; has somebody stopped it?");
  }
  check(::fcntl(socket.get(), F_SETFL, 0), "fcntl(F_SETFL)");
  return MessageSocket(std::move(socket));
}

pid_t peer_pid(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  check(::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt(SO_PEERCRED)");
  return peer.pid;
}

bool hung_up(int socket) {
  pollfd connection{socket, 0, 0};
  return ::poll(&connection, 1, 0) > 0;
}

}  // namespace

UniqueFd bind_control_socket(int directory) {
  UniqueFd socket = make_socket(0);
  const sockaddr_un address = address_in(directory);
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), "bind",
        "control socket");
  return socket;
}

BoxConnection connect_to_box(int directory, const std::string& id) {
  BoxConnection connection;
  connection.control = connect_socket(directory, id);
  connection.host_pid = peer_pid(connection.control.fd());
  connection.pidfd.reset(pidfd_open(connection.host_pid));
  // Still connected after the pid was opened: then it is that of PID 1 and not of a successor.
  if (!connection.pidfd || hung_up(connection.control.fd())) throw_sandbox_ended(id);
  return connection;
}

void throw_sandbox_ended(const std::string& id_or_name) {
  throw Error(ESRCH, "find sandbox", id_or_name,
              "it has ended; `sandboxctl list` shows those that live");
}

}  // namespace sandbox
