#include "runtime/box_record.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;
using ::testing::ElementsAre;
using ::testing::Pair;

BoxRecord example() {
  BoxRecord record;
  record.id = "0123456789ab";
  record.name = "web";
  record.template_name = "dir:/srv/caf\xc3\xa9";
  record.metadata = {{"owner", "anna"}, {"note", ""}};
  record.created_ms = 1'795'270'316'197;
  record.default_user = "user";
  record.env = {{"A", "not \xff UTF-8"}, {"B", "100 %41 {\"hex\": \"41\"}"}};
  record.users = {{"user", {.uid = 1000, .gid = 1001, .groups = {4, 24}, .home = "/home/user"}}};
  record.names.uids = {{1000, 4'000'000'000, 1}};
  record.names.gids = {{0, 100000, 65536}};
  record.names.users = {{0, "root"}, {1000, "user"}};
  record.names.groups = {{5, "tty"}};
  record.volumes = {12, uint64_t{1} << 40};
  record.layers = {{"ids", "auto", "single", "why \x80"}};
  record.ttl_action = TtlAction::Pause;
  record.box_directory = "/var/tmp/box";
  return record;
}

TEST(BoxRecord, EveryFieldComesBack) {
  const BoxRecord record = BoxRecord::from_json(example().to_json());
  EXPECT_EQ(record.to_json(), example().to_json());
  EXPECT_EQ(record.name, "web");
  EXPECT_EQ(record.created_ms, 1'795'270'316'197);
  EXPECT_EQ(record.users.at("user").groups, (std::vector<gid_t>{4, 24}));
  EXPECT_EQ(record.names.uids.front().outside, 4'000'000'000U);
  EXPECT_EQ(record.ttl_action, TtlAction::Pause);
  EXPECT_EQ(record.volumes.back(), uint64_t{1} << 40);
  EXPECT_EQ(record.layers.front().note, "why \x80");
}

TEST(BoxRecord, BytesComeBackWhateverTheyLookLike) {
  const BoxRecord record = BoxRecord::from_json(example().to_json());
  EXPECT_THAT(record.env,
              ElementsAre(Pair("A", "not \xff UTF-8"), Pair("B", "100 %41 {\"hex\": \"41\"}")));
}

TEST(BoxRecord, CutAnywhereIsRefused) {
  const std::string whole = example().to_json();
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    EXPECT_THAT([&] { BoxRecord::from_json(whole.substr(0, size)); }, FailsWith(EBADMSG)) << size;
  }
}

TEST(BoxRecord, GarbageIsRefused) {
  for (const char* text : {"", "\0", "[]", "{}", "7", "\xff\xfe", "{\"version\": \"1\"}"}) {
    EXPECT_THAT([&] { BoxRecord::from_json(text); }, FailsWith(EBADMSG)) << text;
  }
}

TEST(BoxRecord, OfALaterVersionSaysSo) {
  EXPECT_THAT([] { BoxRecord::from_json(R"({"version": 2})"); }, FailsWith(EPROTO));
}

}  // namespace
}  // namespace sandbox
