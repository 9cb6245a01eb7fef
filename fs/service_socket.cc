#include "fs/service_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "sandbox/error.h"

namespace sandbox {

UniqueFd listen_in(int directory, const char* name) {
  UniqueFd socket{
      check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", name)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
  // bind(2) knows no descriptor of a directory.
  check(::fchdir(directory), "fchdir", name);
  const int bound =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  check(bound, "bind", name);
  check(::chdir("/"), "chdir", "/");
  check(::fchmodat(directory, name, 0666, 0), "fchmodat", name);
  constexpr int kBacklog = 16;
  check(::listen(socket.get(), kBacklog), "listen", name);
  return socket;
}

}  // namespace sandbox
