#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sandbox {

/// The newest bytes of a stream, each known by its offset from the beginning of the stream.
///
/// Memory is taken as bytes come, up to the capacity. Single-threaded; does no I/O.
class OutputRing {
 public:
  static constexpr std::size_t kDefaultCapacity = 1 << 20;

  /// Bytes that lie together, and where they begin.
  struct Piece {
    uint64_t offset = 0;
    std::string_view bytes;  ///< Valid until the ring changes.
  };

  /// `capacity` is at least 1.
  explicit OutputRing(std::size_t capacity = kDefaultCapacity) noexcept : capacity_(capacity) {}

  /// Adds `bytes` at the end; the oldest give way.
  void append(std::string_view bytes);

  /// Offsets of the oldest byte that is still here and behind the newest.
  uint64_t begin() const noexcept { return end_ - held_; }
  uint64_t end() const noexcept { return end_; }

  /// What is here from `offset` on, as far as it lies in one piece; empty at the end. A piece that
  /// begins behind `offset` tells a gap: what was between is gone.
  Piece read(uint64_t offset) const noexcept;

  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t storage_bytes() const noexcept { return storage_.size(); }
  /// By how much storage_bytes() would grow if `bytes` more were appended.
  std::size_t growth(std::size_t bytes) const noexcept;
  /// Makes what it has now, or one page, its capacity.
  void stop_growing() noexcept;

 private:
  std::size_t capacity_;
  // Shorter than capacity_ only as long as nothing has been overwritten: then an offset is an
  // index.
  std::vector<char> storage_;
  uint64_t end_ = 0;
  std::size_t held_ = 0;
};

}  // namespace sandbox
