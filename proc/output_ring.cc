#include "proc/output_ring.h"

#include <algorithm>
#include <bit>

namespace sandbox {
namespace {

constexpr std::size_t kSmallestStorage = 4096;

}  // namespace

std::size_t OutputRing::growth(std::size_t bytes) const noexcept {
  if (storage_.size() == capacity_) return 0;
  const std::size_t needed = std::min(capacity_, held_ + std::min(bytes, capacity_));
  if (needed <= storage_.size()) return 0;
  return std::min(capacity_, std::max(kSmallestStorage, std::bit_ceil(needed))) - storage_.size();
}

void OutputRing::stop_growing() noexcept {
  capacity_ = std::max(storage_.size(), std::min(capacity_, kSmallestStorage));
}

void OutputRing::append(std::string_view bytes) {
  storage_.resize(storage_.size() + growth(bytes.size()));
  while (!bytes.empty()) {
    const std::size_t at = end_ % capacity_;
    const std::size_t size = std::min(bytes.size(), capacity_ - at);
    std::copy_n(bytes.data(), size, storage_.data() + at);
    bytes.remove_prefix(size);
    end_ += size;
    held_ = std::min(held_ + size, capacity_);
  }
}

OutputRing::Piece OutputRing::read(uint64_t offset) const noexcept {
  const uint64_t from = std::clamp(offset, begin(), end());
  const std::size_t at = from % capacity_;
  const std::size_t size = std::min<uint64_t>(end_ - from, capacity_ - at);
  return {from, std::string_view(storage_.data() + at, size)};
}

}  // namespace sandbox
