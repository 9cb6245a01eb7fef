#include "runtime/base/wire.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <span>

#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;
using ::testing::ElementsAre;

std::vector<std::byte> bytes_of(const WireWriter& out) {
  return {out.message().begin(), out.message().end()};
}

TEST(Wire, EveryKindComesBackAsItWasWritten) {
  const std::string with_nul("a\0b", 3);
  WireWriter out;
  out.u32(std::numeric_limits<uint32_t>::max());
  out.u64(std::numeric_limits<uint64_t>::max());
  out.text(with_nul);
  out.texts({"", "one", with_nul});
  out.bytes(std::vector<std::byte>(3, std::byte{7}));

  WireReader in(out.message());
  EXPECT_EQ(in.u32(), std::numeric_limits<uint32_t>::max());
  EXPECT_EQ(in.u64(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(in.text(), with_nul);
  EXPECT_THAT(in.texts(), ElementsAre("", "one", with_nul));
  EXPECT_EQ(in.bytes(), std::vector<std::byte>(3, std::byte{7}));
  in.finish();
}

TEST(Wire, EmptyMessageHasNoNumber) {
  EXPECT_THAT([] { WireReader({}).u32(); }, FailsWith(EBADMSG));
}

TEST(Wire, MessageWithSomethingLeftIsRefused) {
  WireWriter out;
  out.u32(1);
  EXPECT_THAT([&] { WireReader(out.message()).finish(); }, FailsWith(EBADMSG));
}

TEST(Wire, MessageCutAnywhereIsRefused) {
  WireWriter out;
  out.texts({"first", "second"});
  const std::vector<std::byte> whole = bytes_of(out);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::span<const std::byte> cut(whole.data(), size);
    WireReader in(cut);
    EXPECT_THAT([&] { in.texts(); }, FailsWith(EBADMSG)) << size;
  }
}

TEST(Wire, LengthBeyondTheMessageIsRefused) {
  WireWriter out;
  out.u64(std::numeric_limits<uint64_t>::max());
  EXPECT_THAT([&] { WireReader(out.message()).text(); }, FailsWith(EBADMSG));
  EXPECT_THAT([&] { WireReader(out.message()).bytes(); }, FailsWith(EBADMSG));
}

// 2^61 strings would be reserved otherwise, and the host would die of bad_alloc.
TEST(Wire, CountBeyondTheMessageIsRefusedBeforeMemoryIsTaken) {
  WireWriter out;
  out.u64(uint64_t{1} << 61);
  out.text("only one");
  EXPECT_THAT([&] { WireReader(out.message()).texts(); }, FailsWith(EBADMSG));
}

}  // namespace
}  // namespace sandbox
