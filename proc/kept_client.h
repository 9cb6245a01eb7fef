#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "proc/output_ring.h"
#include "proc/status_message.h"
#include "runtime/base/message_socket.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// One who reads the output of a command at his own speed: a status socket and two pipes.
///
/// Nothing here waits: what finds no room in a pipe or the socket stays until there is some.
class KeptClient {
 public:
  /// One of the two pipes.
  struct Tap {
    UniqueFd writer = {};
    uint64_t position = 0;               ///< Offset of the byte to write next.
    std::optional<uint64_t> until = {};  ///< Where the client's wish ends.
    bool is_full = false;                ///< Until its owner learns that it is not.
    bool is_gone = false;                ///< Nobody reads it any more.
  };

  KeptClient(MessageSocket status, std::array<Tap, 2> taps, bool sets_pace = false);

  const MessageSocket& status() const noexcept { return status_; }
  Tap& tap(std::size_t stream) noexcept { return taps_.at(stream); }
  const Tap& tap(std::size_t stream) const noexcept { return taps_.at(stream); }
  bool has_taps() const noexcept { return taps_[0].writer || taps_[1].writer; }

  /// A command in a terminal is not to print faster than this one reads.
  bool sets_pace() const noexcept { return sets_pace_; }

  /// Sends `message`, behind those that wait.
  void tell(const StatusMessage& message, UniqueFd fd = UniqueFd());
  /// Sends what waits, as far as it goes.
  void flush();
  bool has_unsent() const noexcept { return !outbox_.empty(); }

  /// Writes what `ring` has for the pipe of `stream`, each Gap before what follows it.
  void deliver(std::size_t stream, const OutputRing& ring);

  /// Nothing more is to be told: when the rest is delivered, the client is done with.
  void set_told() noexcept { told_ = true; }
  bool is_done() const noexcept { return told_ && outbox_.empty() && !has_taps(); }

  /// Closing the status socket is not to end the command.
  void set_detached() noexcept { detached_ = true; }
  bool is_detached() const noexcept { return detached_; }

 private:
  struct Outgoing {
    std::vector<std::byte> payload;
    UniqueFd fd;
  };

  void skip_gap(std::size_t stream, uint64_t to);

  MessageSocket status_;
  std::array<Tap, 2> taps_;
  std::deque<Outgoing> outbox_;
  bool sets_pace_ = false;
  bool told_ = false;
  bool detached_ = false;
};

}  // namespace sandbox
