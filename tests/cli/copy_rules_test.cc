// Where a copy goes: the table of cp(1) and `docker cp`.

#include "runtime/sandboxctl/copy_rules.h"

#include <gmock/gmock.h>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

using ::testing::HasSubstr;
using enum PathKind;

std::string suffix(const std::string& from, PathKind source, const std::string& to,
                   PathKind target) {
  return copy_suffix({from, source}, name_of(from), {to, target}, true);
}

std::string refusal(const std::string& from, PathKind source, const std::string& to,
                    PathKind target, bool recursively = true) {
  try {
    copy_suffix({from, source}, name_of(from), {to, target}, recursively);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code(), kFailed);
    return failure.message().subject + ": " + failure.message().reason;
  }
  return "no refusal";
}

TEST(CopyRules, NameIsTheLastComponent) {
  EXPECT_EQ(name_of("/a/b"), "b");
  EXPECT_EQ(name_of("a/b//"), "b");
  EXPECT_EQ(name_of("b"), "b");
}

TEST(CopyRules, ContentOfADirectoryHasNoName) {
  for (const char* path : {".", "..", "/", "a/.", "a/./", "../.."}) EXPECT_EQ(name_of(path), "");
}

TEST(CopyRules, FileIsGivenTheTargetsName) {
  EXPECT_EQ(suffix("a", File, "b", Missing), "");
  EXPECT_EQ(suffix("a", File, "b", File), "");
}

TEST(CopyRules, FileGoesIntoADirectoryThatExists) {
  EXPECT_EQ(suffix("x/a", File, "d", Directory), "/a");
  EXPECT_EQ(suffix("x/a", File, "d/", Directory), "a");
}

TEST(CopyRules, DirectoryThatDoesNotExistIsNotMadeForAFile) {
  EXPECT_EQ(refusal("a", File, "d/", Missing), "d/: No such file or directory");
}

TEST(CopyRules, DirectoryIsGivenTheTargetsNameOrGoesIntoIt) {
  EXPECT_EQ(suffix("src", Directory, "new", Missing), "");
  EXPECT_EQ(suffix("src", Directory, "new/", Missing), "");
  EXPECT_EQ(suffix("src", Directory, "old", Directory), "/src");
  EXPECT_EQ(suffix("src/", Directory, "old", Directory), "/src");
}

TEST(CopyRules, ContentOfADirectoryGoesIntoTheTargetItself) {
  EXPECT_EQ(suffix("src/.", Directory, "old", Directory), "");
  EXPECT_EQ(suffix(".", Directory, "old", Directory), "");
}

TEST(CopyRules, DirectoryDoesNotReplaceAFile) {
  EXPECT_EQ(refusal("src", Directory, "file", File), "file: Not a directory");
}

TEST(CopyRules, DirectoryNeedsToBeAskedFor) {
  EXPECT_EQ(refusal("src", Directory, "new", Missing, false), "src: Is a directory");
}

TEST(CopyRules, SlashBehindAFileIsRefused) {
  EXPECT_EQ(refusal("a/", File, "b", Missing), "a/: Not a directory");
  EXPECT_EQ(refusal("a", File, "b/", File), "b/: Not a directory");
}

TEST(CopyRules, MissingSourceIsRefusedFirst) {
  EXPECT_EQ(refusal("a", Missing, "b/", Missing), "a: No such file or directory");
}

TEST(CopyRules, StreamNeedsTheNameOfAFile) {
  EXPECT_THROW(copy_suffix({"-", File}, "", {"d", Directory}, false), Failure);
  EXPECT_EQ(copy_suffix({"-", File}, "", {"f", File}, false), "");
}

}  // namespace
}  // namespace sandboxctl
