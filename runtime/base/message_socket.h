#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// A received message: its bytes and the descriptors that came with it.
struct Message {
  std::vector<std::byte> payload;
  std::vector<UniqueFd> fds;
};

/// One end of a SOCK_SEQPACKET connection: whole messages with descriptors, unix(7).
///
/// Several threads may send on one socket at once: the kernel keeps messages whole. A payload over
/// kInlineBytes travels as a sealed memfd, because a datagram must fit the socket buffer. Sending
/// never raises SIGPIPE.
class MessageSocket {
 public:
  static constexpr std::size_t kInlineBytes = 32 << 10;
  static constexpr std::size_t kLargestBytes = 16 << 20;
  static constexpr std::size_t kMaxFds = 16;

  MessageSocket() noexcept = default;
  explicit MessageSocket(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

  /// Two connected ends, close-on-exec.
  static std::pair<MessageSocket, MessageSocket> pair();

  int fd() const noexcept { return fd_.get(); }
  UniqueFd release() noexcept { return std::move(fd_); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

  /// Throws Error: EPIPE when the other end is closed, EMSGSIZE over kLargestBytes.
  void send(std::span<const std::byte> payload, std::span<const int> fds = {}) const;

  /// Waits for one message; nothing when the other end is closed. Throws Error: EBADMSG for
  /// something that MessageSocket::send did not make.
  std::optional<Message> receive() const;

 private:
  UniqueFd fd_;
};

}  // namespace sandbox
