#include "tests/support/temp_dir.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

TEST(TempDir, HoldsTheFilesItIsMadeWith) {
  const TempDir dir = TempDir::with({{"etc/name", "template"}, {"empty/", ""}});
  EXPECT_EQ(dir.read("etc/name"), "template");
  EXPECT_TRUE(std::filesystem::is_directory(dir.path("empty")));
}

TEST(TempDir, WriteReplaces) {
  const TempDir dir = TempDir::with({{"name", "a long one"}});
  dir.write("name", "short");
  EXPECT_EQ(dir.read("name"), "short");
}

TEST(TempDir, ReadOfMissingFileThrows) {
  const TempDir dir;
  EXPECT_THAT([&] { dir.read("missing"); }, FailsWith(ENOENT));
}

TEST(TempDir, IsRemovedWithItsLockedDirectories) {
  std::string path;
  {
    const TempDir dir = TempDir::with({{"work/inner/file", "x"}});
    ::chmod(dir.path("work/inner").c_str(), 0);
    ::chmod(dir.path("work").c_str(), 0);
    path = dir.path();
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDir, RemovalLeavesTheTargetOfASymlink) {
  const TempDir kept = TempDir::with({{"file", "x"}});
  {
    const TempDir dir;
    std::filesystem::create_directory_symlink(kept.path(), dir.path("link"));
  }
  EXPECT_EQ(kept.read("file"), "x");
}

}  // namespace
}  // namespace sandbox::test
