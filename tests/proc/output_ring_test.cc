#include "proc/output_ring.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sandbox {
namespace {

// All from `offset` on.
std::string rest(const OutputRing& ring, uint64_t offset) {
  std::string text;
  while (true) {
    const OutputRing::Piece piece = ring.read(offset);
    if (piece.bytes.empty()) return text;
    text += piece.bytes;
    offset = piece.offset + piece.bytes.size();
  }
}

TEST(OutputRing, EmptyOneHasNothingAtZero) {
  const OutputRing ring(8);
  EXPECT_EQ(ring.begin(), 0U);
  EXPECT_EQ(ring.end(), 0U);
  EXPECT_EQ(ring.read(0).bytes, "");
  EXPECT_EQ(ring.storage_bytes(), 0U);
}

TEST(OutputRing, GivesBackFromAnyOffset) {
  OutputRing ring(8);
  ring.append("abcdef");
  EXPECT_EQ(rest(ring, 0), "abcdef");
  EXPECT_EQ(rest(ring, 4), "ef");
  EXPECT_EQ(rest(ring, 6), "");
}

TEST(OutputRing, OldestGiveWay) {
  OutputRing ring(4);
  ring.append("abc");
  ring.append("def");
  EXPECT_EQ(ring.begin(), 2U);
  EXPECT_EQ(rest(ring, 2), "cdef");
}

TEST(OutputRing, PieceBehindTheOffsetTellsTheGap) {
  OutputRing ring(4);
  ring.append("abcdef");
  EXPECT_EQ(ring.read(0).offset, 2U);
  EXPECT_EQ(ring.read(1).offset, 2U);
  EXPECT_EQ(ring.read(3).offset, 3U);
}

TEST(OutputRing, OffsetBeyondTheEndIsTheEnd) {
  OutputRing ring(4);
  ring.append("ab");
  EXPECT_EQ(ring.read(7).offset, 2U);
  EXPECT_EQ(ring.read(7).bytes, "");
}

TEST(OutputRing, MoreThanItsCapacityAtOnceLeavesTheNewest) {
  OutputRing ring(4);
  ring.append("abcdefghijk");
  EXPECT_EQ(rest(ring, 0), "hijk");
  EXPECT_EQ(ring.end(), 11U);
}

TEST(OutputRing, MemoryComesWithTheBytes) {
  OutputRing ring(1 << 20);
  ring.append("x");
  EXPECT_LE(ring.storage_bytes(), 4096U);
  ring.append(std::string(100'000, 'x'));
  EXPECT_LE(ring.storage_bytes(), 256U << 10);
  ring.append(std::string(3 << 20, 'x'));
  EXPECT_EQ(ring.storage_bytes(), 1U << 20);
}

TEST(OutputRing, StoppedOneKeepsWhatFitsItsMemory) {
  OutputRing ring(1 << 20);
  ring.append(std::string(5000, 'a'));
  ring.stop_growing();
  const std::size_t capacity = ring.capacity();
  ring.append(std::string(10'000, 'b'));
  EXPECT_EQ(ring.storage_bytes(), capacity);
  EXPECT_EQ(rest(ring, 0), std::string(capacity, 'b'));
}

// The model: the whole stream, of which the last `capacity` bytes may be asked for.
TEST(OutputRing, AgreesWithTheWholeStream) {
  std::mt19937 random(4711);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 200; ++round) {
    OutputRing ring(1 + below(20'000));
    std::string whole;
    for (int step = 0; step < 50; ++step) {
      std::string bytes(below(below(2) == 0 ? 40 : 9000), ' ');
      for (char& byte : bytes) byte = static_cast<char>(random());
      const std::size_t expected_storage = ring.storage_bytes() + ring.growth(bytes.size());
      ring.append(bytes);
      whole += bytes;
      if (below(100) == 0) ring.stop_growing();
      ASSERT_LE(ring.storage_bytes(), ring.capacity());
      ASSERT_EQ(ring.storage_bytes(), expected_storage);
      ASSERT_EQ(ring.end(), whole.size());
      ASSERT_EQ(ring.end() - ring.begin(), std::min(whole.size(), ring.capacity()));
      ASSERT_EQ(rest(ring, 0), whole.substr(ring.begin()));
      const std::size_t from = below(whole.size() + 1);
      ASSERT_EQ(rest(ring, from), whole.substr(std::max(from, ring.begin())));
    }
  }
}

}  // namespace
}  // namespace sandbox
