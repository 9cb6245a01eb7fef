#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

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

/// One output stream of a command: where it comes from and what is kept of it.
class KeptStream {
 public:
  KeptStream() = default;
  /// `source` is a pipe or the master of a terminal and becomes non-blocking.
  KeptStream(UniqueFd source, const OutputPolicy& policy);

  int source() const noexcept { return source_.get(); }
  bool is_open() const noexcept { return static_cast<bool>(source_); }
  void close() noexcept { source_.reset(); }

  /// How many bytes the next read may take, which is 0 while nothing may be lost and the slowest
  /// reader, who is at `slowest`, has not read enough.
  std::size_t room(uint64_t slowest) const noexcept;

  /// Reads into `buffer` once and returns what is to be kept of it; closes at the end of file.
  /// Nothing is added to the ring yet: its owner makes room first.
  std::string_view take(std::span<char> buffer);

  OutputRing& ring() noexcept { return ring_; }
  const OutputRing& ring() const noexcept { return ring_; }

  /// The command has ended: what the source holds now was written by then.
  void note_end();
  /// True when everything that was written by the end is in the ring.
  bool has_all() const noexcept { return !source_ || seen_ >= final_; }

  /// All that has been read, and what of it was beyond the limit.
  uint64_t seen() const noexcept { return seen_; }
  uint64_t dropped() const noexcept { return seen_ > limit_ ? seen_ - limit_ : 0; }

 private:
  UniqueFd source_;
  OutputRing ring_;
  bool lossless_ = false;
  uint64_t limit_ = std::numeric_limits<uint64_t>::max();
  uint64_t seen_ = 0;
  uint64_t final_ = 0;
};

}  // namespace sandbox
