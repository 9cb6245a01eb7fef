#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "proc/kept_stream.h"
#include "proc/status_message.h"
#include "runtime/base/message_socket.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

enum class Follow {
  No,   ///< What there is now, then the end.
  Yes,  ///< Until the command has ended.
};

/// One who reads the output of a command, at his own speed: a status socket and two pipes.
///
/// Nothing here waits: what does not fit a pipe or the socket stays until there is room.
class KeptClient {
 public:
  /// One of the two pipes.
  struct Tap {
    UniqueFd writer;
    uint64_t position = 0;          ///< Offset of the next byte.
    std::optional<uint64_t> until;  ///< Nothing from this offset on is wanted.
    bool blocked = false;           ///< The pipe is full.
  };

  KeptClient(MessageSocket status, std::array<Tap, 2> taps) noexcept
      : status_(std::move(status)), taps_(std::move(taps)) {}

  const MessageSocket& status() const noexcept { return status_; }
  Tap& tap(std::size_t stream) noexcept { return taps_.at(stream); }
  const Tap& tap(std::size_t stream) const noexcept { return taps_.at(stream); }

  /// Sends `message` behind those that wait.
  void tell(const StatusMessage& message, UniqueFd fd = UniqueFd());
  /// Sends what waits, as far as it goes.
  void flush();
  bool has_unsent() const noexcept { return !outbox_.empty(); }

  /// Moves what `stream` has into its pipe, Gap before what follows one.
  void deliver(std::size_t stream, const OutputRing& ring);
  /// Closes the pipe of `stream`, telling before that `dropped` more bytes are not there.
  void finish(std::size_t stream, uint64_t dropped);

  bool is_finished() const noexcept {
    return !taps_[0].writer && !taps_[1].writer && outbox_.empty() && gone_or_told_;
  }
  /// Nothing more will be told.
  void set_told() noexcept { gone_or_told_ = true; }

 private:
  struct Outgoing {
    std::vector<std::byte> payload;
    UniqueFd fd;
  };

  MessageSocket status_;
  std::array<Tap, 2> taps_;
  std::deque<Outgoing> outbox_;
  bool gone_or_told_ = false;
};

}  // namespace sandbox
