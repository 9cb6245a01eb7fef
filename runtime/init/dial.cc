#include "runtime/init/dial.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace sandbox {
namespace {

template <typename Address>
UniqueFd connect_to(const Address& address, int family) noexcept {
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), target, sizeof address) != 0 && errno != EINPROGRESS) socket.reset();
  return socket;
}

}  // namespace

UniqueFd dial(const Dial& request) noexcept {
  if (request.address == LocalAddress::Ipv6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(request.port);
    address.sin6_addr = in6addr_loopback;
    return connect_to(address, AF_INET6);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(request.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect_to(address, AF_INET);
}

}  // namespace sandbox
