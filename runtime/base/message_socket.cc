#include "runtime/base/message_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "runtime/base/sealed_memfd.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// The first byte of each datagram.
enum class Kind : uint8_t { Inline = 1, Memfd = 2 };

// One more than callers may pass: the memfd of a large payload comes first.
constexpr std::size_t kMaxWireFds = kMaxMessageFds + 1;

union ControlBuffer {
  cmsghdr align;
  std::array<char, CMSG_SPACE(sizeof(int) * kMaxWireFds)> bytes;
};

// False when MSG_DONTWAIT is among `flags` and there is no room.
bool send_datagram(int socket, Kind kind, std::span<const std::byte> payload,
                   std::span<const int> fds, int flags) {
  std::array<iovec, 2> parts{
      {{&kind, sizeof(kind)}, {const_cast<std::byte*>(payload.data()), payload.size()}}};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  ControlBuffer control{};
  if (!fds.empty()) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL | flags);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno == EAGAIN) return false;
  check(sent, "sendmsg");
  return true;
}

bool send(int socket, std::span<const std::byte> payload, std::span<const int> fds, int flags) {
  if (fds.size() > kMaxMessageFds || payload.size() > kLargestMessageBytes) {
    throw Error(EMSGSIZE, "sendmsg", "message");
  }
  if (payload.size() <= kInlineMessageBytes) {
    return send_datagram(socket, Kind::Inline, payload, fds, flags);
  }
  const UniqueFd memfd = make_sealed_memfd("message", payload, Executable::No);
  std::vector<int> all{memfd.get()};
  all.insert(all.end(), fds.begin(), fds.end());
  return send_datagram(socket, Kind::Memfd, {}, all, flags);
}

void take_fds(msghdr& header, std::vector<UniqueFd>& fds) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
}

std::vector<std::byte> read_memfd(int fd) {
  // Unsealed, the sender could shrink it under us, which would be a short read at best.
  if (!is_sealed(fd)) throw Error(EBADMSG, "recvmsg", "unsealed payload");
  struct stat status {};
  check(::fstat(fd, &status), "fstat", "payload");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > kLargestMessageBytes) throw Error(EMSGSIZE, "recvmsg", "payload");
  std::vector<std::byte> payload(size);
  const ssize_t got = check(::pread(fd, payload.data(), size, 0), "pread", "payload");
  if (static_cast<std::size_t>(got) != size) throw Error(EBADMSG, "pread", "payload");
  return payload;
}

}  // namespace

std::pair<MessageSocket, MessageSocket> MessageSocket::pair() {
  std::array<int, 2> ends{-1, -1};
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  return {MessageSocket(UniqueFd(ends[0])), MessageSocket(UniqueFd(ends[1]))};
}

void send_message(int socket, std::span<const std::byte> payload, std::span<const int> fds) {
  send(socket, payload, fds, 0);
}

bool try_send_message(int socket, std::span<const std::byte> payload, std::span<const int> fds) {
  return send(socket, payload, fds, MSG_DONTWAIT);
}

std::optional<Message> receive_message(int socket) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): nine pages of zeros for each message.
  std::array<std::byte, kInlineMessageBytes + 1> buffer;
  iovec part{buffer.data(), buffer.size()};
  ControlBuffer control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = sizeof(control.bytes);
  ssize_t got = -1;
  do {
    // A peer that closed with a message of ours unread resets the connection. That is told once,
    // and before what the peer had sent: unix(7) has datagrams behind the error, then the end.
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (check(got, "recvmsg") == 0) return std::nullopt;

  Message message;
  take_fds(header, message.fds);
  // The kernel drops descriptors for which we have no number left: unix(7).
  if ((header.msg_flags & MSG_CTRUNC) != 0) throw Error(EMFILE, "recvmsg", "descriptors");
  if ((header.msg_flags & MSG_TRUNC) != 0) throw Error(EBADMSG, "recvmsg", {});
  const auto kind = static_cast<Kind>(buffer[0]);
  if (kind == Kind::Inline) {
    message.payload.assign(buffer.begin() + 1, buffer.begin() + got);
  } else if (kind == Kind::Memfd && !message.fds.empty()) {
    message.payload = read_memfd(message.fds.front().get());
    message.fds.erase(message.fds.begin());
  } else {
    throw Error(EBADMSG, "recvmsg", {});
  }
  return message;
}

}  // namespace sandbox
