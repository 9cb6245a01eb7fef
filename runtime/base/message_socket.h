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

/// A payload over kInlineMessageBytes travels as a sealed memfd, because a datagram must fit the
/// socket buffer.
inline constexpr std::size_t kInlineMessageBytes = 32 << 10;
inline constexpr std::size_t kLargestMessageBytes = 16 << 20;
inline constexpr std::size_t kMaxMessageFds = 16;

/// Sends one message on a SOCK_SEQPACKET socket. Several threads may send on one socket at once:
/// the kernel keeps messages whole. Never raises SIGPIPE. Throws Error: EPIPE when the other end is
/// closed, EMSGSIZE over kLargestMessageBytes.
void send_message(int socket, std::span<const std::byte> payload, std::span<const int> fds = {});

/// The same without waiting: false, and nothing sent, when the socket's buffer is full.
bool try_send_message(int socket, std::span<const std::byte> payload,
                      std::span<const int> fds = {});

/// Waits for one message; nothing when the other end is closed. Throws Error: EBADMSG for something
/// that send_message did not make, EMFILE when its descriptors do not fit our limit.
std::optional<Message> receive_message(int socket);

/// Owns one end of a SOCK_SEQPACKET connection, unix(7).
class MessageSocket {
 public:
  MessageSocket() noexcept = default;
  explicit MessageSocket(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

  /// Two connected ends, close-on-exec.
  static std::pair<MessageSocket, MessageSocket> pair();

  int fd() const noexcept { return fd_.get(); }
  UniqueFd release() noexcept { return std::move(fd_); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

  void send(std::span<const std::byte> payload, std::span<const int> fds = {}) const {
    send_message(fd_.get(), payload, fds);
  }
  bool try_send(std::span<const std::byte> payload, std::span<const int> fds = {}) const {
    return try_send_message(fd_.get(), payload, fds);
  }
  std::optional<Message> receive() const { return receive_message(fd_.get()); }

 private:
  UniqueFd fd_;
};

}  // namespace sandbox
