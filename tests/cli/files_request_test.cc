#include "runtime/sandboxctl/files_request.h"

#include <gmock/gmock.h>

#include <climits>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FilesRequest, OptionsMayStandBehindThePaths) {
  const auto command = parse_files({"ls", "web", "/a", "/b", "--json", "-u", "root"});
  EXPECT_STREQ(command->action->name, "ls");
  EXPECT_EQ(command->request.id, "web");
  EXPECT_THAT(command->request.paths, ElementsAre("/a", "/b"));
  EXPECT_EQ(command->request.user, "root");
  EXPECT_TRUE(command->request.json);
}

TEST(FilesRequest, PathsThatLookLikeOptionsStandBehindTwoDashes) {
  const auto command = parse_files({"rm", "web", "--", "--json", "-u"});
  EXPECT_THAT(command->request.paths, ElementsAre("--json", "-u"));
  EXPECT_FALSE(command->request.json);
}

TEST(FilesRequest, ListsTheHomeDirectoryByDefault) {
  EXPECT_THAT(parse_files({"ls", "web"})->request.paths, ElementsAre("."));
}

TEST(FilesRequest, TreeHasAllLevelsByDefault) {
  EXPECT_EQ(parse_files({"tree", "web"})->request.depth, INT_MAX);
  EXPECT_EQ(parse_files({"tree", "web", "--depth", "2"})->request.depth, 2);
}

TEST(FilesRequest, UnknownVerbsAndOptionsNameTheNearest) {
  const auto complaint = [](const std::vector<std::string>& words) -> std::string {
    try {
      parse_files(words);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.exit_code(), kUsageError);
      return failure.what();
    }
    return "none";
  };
  EXPECT_THAT(complaint({"mkdi", "web", "/a"}), HasSubstr("did you mean mkdir?"));
  EXPECT_THAT(complaint({"ls", "web", "--jsno"}), HasSubstr("did you mean --json?"));
}

}  // namespace
}  // namespace sandboxctl
