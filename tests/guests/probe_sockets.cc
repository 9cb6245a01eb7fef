#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

void connect_to(const char* what, int family, const sockaddr* address, socklen_t size, int type) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return tell(what, fd);
  const int connected = ::connect(fd, address, size);
  if (connected == 0 && type == SOCK_DGRAM) {
    // UDP says "refused" only to who writes.
    tell(what, ::send(fd, "x", 1, MSG_NOSIGNAL));
  } else if (connected < 0 && errno == EINPROGRESS) {
    pollfd answer = {.fd = fd, .events = POLLOUT, .revents = 0};
    ::poll(&answer, 1, 1000);
    int error = ETIMEDOUT;
    socklen_t length = sizeof(error);
    if (answer.revents != 0) ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    tell(what, error == 0 ? 0 : -1);
  } else {
    tell(what, connected);
  }
  ::close(fd);
}

void connect_inet(const char* what, const char* host, uint16_t port, int type) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  connect_to(what, AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof(address), type);
}

void connect_inet6(const char* what, const char* host, uint16_t port) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  ::inet_pton(AF_INET6, host, &address.sin6_addr);
  connect_to(what, AF_INET6, reinterpret_cast<const sockaddr*>(&address), sizeof(address),
             SOCK_STREAM);
}

void connect_abstract(const char* name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path + 1, name, sizeof(address.sun_path) - 2);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(name));
  connect_to("abstract", AF_UNIX, reinterpret_cast<const sockaddr*>(&address), size, SOCK_STREAM);
}

// A message with descriptors.
void send_with_fds(int to, const void* bytes, std::size_t size, const int* fds, std::size_t count) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)] = {};
  iovec part = {const_cast<void*>(bytes), size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    std::memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
  }
  ::sendmsg(to, &message, MSG_NOSIGNAL);
}

int connect_to_sudo() {
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/dev/sudo");
  const auto* const at = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd, at, sizeof(address)) == 0 ? fd : -1;
}

// A connection over lo whose last close takes a minute: it has unsent data that nobody reads.
int lingering_socket() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(listener, reinterpret_cast<const sockaddr*>(&address), size);
  ::listen(listener, 1);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
  static char block[1 << 20];
  while (::send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
  }
  const linger minute = {.l_onoff = 1, .l_linger = 60};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &minute, sizeof(minute));
  return fd;
}

}  // namespace

/// Says to PID 1 at its socket for sudo what sudo never says, and leaves connections open.
int attack_sudo(Words) {
  const int first = connect_to_sudo();
  tell("connect", first);
  if (first < 0) return 0;
  const int held[] = {lingering_socket(), ::open("/dev/zero", O_RDONLY | O_CLOEXEC),
                      static_cast<int>(::memfd_create("payload", MFD_CLOEXEC))};
  ::ftruncate(held[2], off_t{1} << 40);
  char bytes[4096];
  for (int kind = 0; kind < 256; ++kind) {
    const int fd = connect_to_sudo();
    std::memset(bytes, kind, sizeof(bytes));
    bytes[0] = static_cast<char>(kind % 3);  // Inline, by memfd, nothing known.
    send_with_fds(fd, bytes, 1 + static_cast<std::size_t>(kind) * 8, held,
                  static_cast<std::size_t>(kind) % 4);
    if (kind % 2 == 0) ::close(fd);
  }
  // Its last reference is with whoever reads the message, or with a child that has time to wait.
  if (::fork() == 0) {
    const int lingering = lingering_socket();
    send_with_fds(connect_to_sudo(), bytes, 1, &lingering, 1);
    ::_exit(0);
  }
  say("attacked");
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

/// What can be made: "family 1 type 1 protocol 0", a line each; and options of sockets.
int try_sockets(Words) {
  for (int family = 0; family < 48; ++family) {
    for (int type = 1; type <= 10; ++type) {
      for (const int protocol : {0, 1, 2, 6, 17, 33, 58, 132, 136, 255, 262}) {
        const bool netlink = family == AF_NETLINK;
        if (netlink && protocol > 22) continue;
        const int fd = ::socket(family, type, protocol);
        if (fd < 0) continue;
        std::printf("family %d type %d protocol %d\n", family, type, protocol);
        ::close(fd);
      }
    }
  }
  for (int protocol = 0; protocol < 23; ++protocol) {
    const int fd = ::socket(AF_NETLINK, SOCK_RAW, protocol);
    if (fd < 0) continue;
    std::printf("netlink %d\n", protocol);
    ::close(fd);
  }
  int pair[2] = {-1, -1};
  tell("socketpair(unix)", ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  tell("send(MSG_OOB)", ::send(pair[0], "x", 1, MSG_OOB));
  int tipc[2] = {-1, -1};
  tell("socketpair(tipc)", ::socketpair(30, SOCK_SEQPACKET, 0, tipc));
  const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
  tell("setsockopt(TCP_ULP)", ::setsockopt(tcp, IPPROTO_TCP, TCP_ULP, "tls", 4));
  const int udp = ::socket(AF_INET, SOCK_DGRAM, 0);
  const int espinudp = 2;
  tell("setsockopt(UDP_ENCAP)", ::setsockopt(udp, IPPROTO_UDP, 100, &espinudp, sizeof(espinudp)));
  char table[64] = {};
  tell("setsockopt(xtables)", ::setsockopt(tcp, SOL_IP, 64, table, sizeof(table)));
  tell("setsockopt(SO_BINDTODEVICE)", ::setsockopt(tcp, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
  return 0;
}

/// Interfaces, and whether something of the host answers: TCP port, UDP port, abstract name.
int look_at_network(Words words) {
  ifaddrs* list = nullptr;
  tell("getifaddrs", ::getifaddrs(&list));
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr != nullptr && at->ifa_addr->sa_family == AF_INET) {
      std::printf("interface %s %s\n", at->ifa_name,
                  (at->ifa_flags & IFF_UP) != 0U ? "up" : "down");
    }
  }
  if (words.count < 2) return 0;
  const auto port = static_cast<uint16_t>(std::atoi(words.at[0]));
  connect_inet("tcp 127.0.0.1", "127.0.0.1", port, SOCK_STREAM);
  connect_inet("udp 127.0.0.1", "127.0.0.1", port, SOCK_DGRAM);
  connect_inet("tcp 0.0.0.0", "0.0.0.0", port, SOCK_STREAM);
  connect_inet("tcp 169.254.169.254", "169.254.169.254", 80, SOCK_STREAM);
  connect_inet("tcp 192.0.2.1", "192.0.2.1", 80, SOCK_STREAM);
  connect_inet6("tcp ::1", "::1", port);
  connect_inet6("tcp ::ffff:127.0.0.1", "::ffff:127.0.0.1", port);
  connect_abstract(words.at[1]);
  return 0;
}

}  // namespace probe
