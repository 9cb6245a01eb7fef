#include "fs/remove_tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

class RemoveTree : public ::testing::Test {
 protected:
  void make_deep(int depth, const std::string& name) const {
    UniqueFd at(check(::open(dir_.path().c_str(), O_PATH | O_CLOEXEC), "open"));
    for (int level = 0; level < depth; ++level) {
      check(::mkdirat(at.get(), name.c_str(), 0755), "mkdirat");
      at.reset(check(::openat(at.get(), name.c_str(), O_PATH | O_CLOEXEC), "openat"));
    }
  }

  TempDir dir_;
  UniqueFd fd_{check(::open(dir_.path().c_str(), O_PATH | O_CLOEXEC), "open")};
};

TEST_F(RemoveTree, NothingThereIsFine) { EXPECT_NO_THROW(remove_tree(fd_.get(), "none")); }

TEST_F(RemoveTree, TakesFilesAndTrees) {
  dir_.write("file", "");
  dir_.write("tree/a/b", "");
  dir_.write("tree/c", "");
  remove_tree(fd_.get(), "file");
  remove_tree(fd_.get(), "tree");
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(RemoveTree, LeavesWhatSymlinksLeadTo) {
  dir_.write("kept/file", "x");
  dir_.write("tree/", "");
  check(::symlink("../kept", dir_.path("tree/link").c_str()), "symlink");
  check(::symlink("kept", dir_.path("link").c_str()), "symlink");
  remove_tree(fd_.get(), "tree");
  remove_tree(fd_.get(), "link");
  EXPECT_EQ(dir_.read("kept/file"), "x");
  EXPECT_FALSE(dir_.exists("link"));
}

// Deeper than the stack of a recursive function or RLIMIT_NOFILE would allow.
TEST_F(RemoveTree, TakesDeepTrees) {
  make_deep(5'000, "d");
  remove_tree(fd_.get(), "d");
  EXPECT_FALSE(dir_.exists("d"));
}

TEST_F(RemoveTree, TakesPathsBeyondPathMaxOfAnyBytes) {
  make_deep(100, std::string(254, '\xff') + '\n');
  remove_tree(fd_.get(), std::string(254, '\xff') + '\n');
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(RemoveTree, TakesDirectoriesThatLockTheirOwnerOut) {
  dir_.write("tree/a/b/file", "");
  check(::chmod(dir_.path("tree/a/b").c_str(), 0), "chmod");
  check(::chmod(dir_.path("tree/a").c_str(), 0), "chmod");
  check(::chmod(dir_.path("tree").c_str(), 0555), "chmod");
  remove_tree(fd_.get(), "tree");
  EXPECT_FALSE(dir_.exists("tree"));
}

TEST_F(RemoveTree, ManyEntriesInOneDirectory) {
  for (int file = 0; file < 5'000; ++file) dir_.write("tree/" + std::to_string(file), "");
  remove_tree(fd_.get(), "tree");
  EXPECT_FALSE(dir_.exists("tree"));
}

}  // namespace
}  // namespace sandbox::test
