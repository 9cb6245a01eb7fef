#include "isolation/subordinate_ids.h"

#include <gtest/gtest.h>

#include <string>

namespace sandbox {
namespace {

std::optional<IdRange> find(std::string_view text, uint32_t at_least = 65535) {
  return find_subordinate_range(text, "alice", 1001, at_least);
}

TEST(SubordinateIds, RangeIsFoundByName) {
  EXPECT_EQ(find("bob:100000:65536\nalice:165536:65536\n"), (IdRange{165536, 65536}));
}

TEST(SubordinateIds, RangeIsFoundByUid) {
  EXPECT_EQ(find("1001:165536:65536\n"), (IdRange{165536, 65536}));
  EXPECT_EQ(find("1002:165536:65536\n"), std::nullopt);
}

TEST(SubordinateIds, LastLineNeedsNoNewline) {
  EXPECT_EQ(find("alice:165536:65536"), (IdRange{165536, 65536}));
}

TEST(SubordinateIds, CommentsAndGarbageArePassedOver) {
  const std::string garbage =
      "# alice:1:65536\n\n:::\nalice\nalice:\nalice::65536\nalice:100000\nalice:100000:\n"
      "alice:x:65536\nalice:100000:65536:1\nalice:-5:65536\nalice:+5:65536\nalice:0x10:65536\n"
      "alice: 100000:65536\nalice:100000:65536 \nalice:100000:65536\r\n:100000:65536\n";
  EXPECT_EQ(find(garbage), std::nullopt);
  EXPECT_EQ(find(garbage + "alice:200000:65536\n"), (IdRange{200000, 65536}));
}

TEST(SubordinateIds, EmptyFileHasNoRange) { EXPECT_EQ(find(""), std::nullopt); }

TEST(SubordinateIds, OwnerIsComparedWhole) {
  EXPECT_EQ(find("alic:100000:65536\nalice2:100000:65536\n10011:100000:65536\n"), std::nullopt);
}

TEST(SubordinateIds, SmallRangeIsPassedOverForALargeOne) {
  EXPECT_EQ(find("alice:100000:1000\nalice:200000:65536\n"), (IdRange{200000, 65536}));
  EXPECT_EQ(find("alice:100000:1000\n"), std::nullopt);
  EXPECT_EQ(find("alice:100000:1000\n", 1000), (IdRange{100000, 1000}));
}

TEST(SubordinateIds, CountZeroIsNoRange) { EXPECT_EQ(find("alice:100000:0\n", 0), std::nullopt); }

TEST(SubordinateIds, NumbersBeyond32BitsAreNoIds) {
  EXPECT_EQ(find("alice:4294967296:65536\nalice:100000:18446744073709551616\n"), std::nullopt);
  EXPECT_EQ(find("alice:4294901760:65536\n"), std::nullopt);  // Would contain (uid_t)-1.
  EXPECT_EQ(find("alice:4294901760:65535\n"), (IdRange{4294901760, 65535}));
}

TEST(SubordinateIds, RangeWithRootOrTheUserIsUnusable) {
  EXPECT_EQ(find("alice:0:65536\n"), std::nullopt);
  EXPECT_EQ(find("alice:1000:65536\n"), std::nullopt);
  EXPECT_EQ(find("alice:1002:65536\n"), (IdRange{1002, 65536}));
}

TEST(SubordinateIds, OfOverlappingRangesTheFirstIsTaken) {
  EXPECT_EQ(find("alice:100000:65536\nalice:120000:65536\n"), (IdRange{100000, 65536}));
}

TEST(SubordinateIds, NulBytesAreGarbage) {
  using namespace std::string_view_literals;
  EXPECT_EQ(find("alice\0:100000:65536\nalice:100000:6\0005536\n"sv), std::nullopt);
}

}  // namespace
}  // namespace sandbox
