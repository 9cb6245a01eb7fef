#include "fs/tree_walk.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::TempDir;
using ::testing::ElementsAre;

TreeWalk walk_of(const TempDir& tree) {
  UniqueFd top(::open(tree.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return {std::move(top), DirStack::Mounts::Stay, DirNames::Order::Lexical};
}

TEST(TreeWalk, DirectoriesComeBeforeWhatIsInThem) {
  const TempDir tree = TempDir::with({{"a", ""}, {"b/x/y", ""}, {"b/z", ""}, {"c", ""}});
  TreeWalk walk = walk_of(tree);
  std::vector<std::string> paths{walk.path()};
  while (walk.next()) {
    paths.push_back(walk.path());
    if (walk.is_directory()) walk.enter(walk.open());
  }
  EXPECT_THAT(paths, ElementsAre(".", "a", "b", "b/x", "b/x/y", "b/z", "c"));
}

TEST(TreeWalk, DirectoryThatWasNotEnteredIsPassedOver) {
  const TempDir tree = TempDir::with({{"a/x", ""}, {"b", ""}});
  TreeWalk walk = walk_of(tree);
  std::vector<std::string> paths;
  while (walk.next()) paths.push_back(walk.path());
  EXPECT_THAT(paths, ElementsAre("a", "b"));
}

TEST(TreeWalk, SymlinkToADirectoryIsNoDirectory) {
  const TempDir tree;
  std::filesystem::create_directory_symlink("/", tree.path("root"));
  TreeWalk walk = walk_of(tree);
  ASSERT_TRUE(walk.next());
  EXPECT_FALSE(walk.is_directory());
  EXPECT_ANY_THROW(walk.open());
}

}  // namespace
}  // namespace sandbox
