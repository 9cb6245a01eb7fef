#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "proc/output_ring.h"
#include "sandbox/command_info.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// How PID 1 treats the output of a command.
struct OutputPolicy {
  Output output = Output::Kept;
  /// Of each stream; 0 is no limit.
  uint64_t max_bytes = 0;
  OnExcess on_excess = OnExcess::KeepHead;
};

/// One output stream of a command: where it comes from and what is kept of it. Reads without
/// waiting.
class KeptStream {
 public:
  KeptStream() = default;
  /// `source` is a pipe or the master of a terminal and becomes non-blocking.
  KeptStream(UniqueFd source, const OutputPolicy& policy);

  int source() const noexcept { return source_.get(); }
  /// Nothing is overwritten that the slowest reader has not had.
  bool is_lossless() const noexcept { return lossless_; }
  bool is_terminal() const noexcept { return terminal_; }
  bool is_open() const noexcept { return static_cast<bool>(source_); }
  void close() noexcept { source_.reset(); }

  /// How much may be read now if nothing is to be lost to a reader who is at `slowest`: 0 when the
  /// ring is full of what he has not had.
  std::size_t room(uint64_t slowest) const noexcept;

  struct Taken {
    std::string_view kept =
        {};               ///< For the ring, to which its owner adds it; the rest is over a limit.
    bool at_end = false;  ///< Nothing comes any more.
  };
  /// Reads once.
  Taken take(std::span<char> buffer);

  OutputRing& ring() noexcept { return ring_; }
  const OutputRing& ring() const noexcept { return ring_; }

  /// How much the source holds.
  std::size_t waiting() const;

  /// The command has ended: what the source holds now was written before.
  void note_end() { final_ = seen_ + waiting(); }
  /// After note_end(): all that was written before it has been read.
  bool has_all() const noexcept { return !source_ || seen_ >= final_; }

  /// What has been read, and how much of it was over the limit.
  uint64_t seen() const noexcept { return seen_; }
  uint64_t excess() const noexcept { return seen_ > limit_ ? seen_ - limit_ : 0; }

 private:
  UniqueFd source_;
  OutputRing ring_;
  bool lossless_ = false;
  bool terminal_ = false;
  uint64_t limit_ = std::numeric_limits<uint64_t>::max();
  uint64_t seen_ = 0;
  uint64_t final_ = 0;
};

}  // namespace sandbox
