#include "templates/skeleton_store.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/error.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::FailsWith;
using test::TempDir;

// A template whose skeleton has one file, and counts how often it is made.
TemplateSource source_with(const std::string& content, std::atomic<int>& made) {
  Skeleton skeleton;
  skeleton.add_file("etc/mark", content);
  return {.lowerdirs = {},
          .read_only_trees = {},
          .accounts = Accounts({}, {}),
          .identity = "test",
          .fingerprint = skeleton.digest(),
          .make_skeleton = [skeleton, &made] {
            ++made;
            return skeleton;
          }};
}

std::string read(const HostPath& skeleton) {
  std::ifstream file(skeleton.path + "/etc/mark");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t skeletons_in(const TempDir& dir) {
  std::size_t count = 0;
  for (const auto& boot : fs::directory_iterator(dir.path("store"))) {
    count += static_cast<std::size_t>(std::distance(fs::directory_iterator(boot), {}));
  }
  return count;
}

SkeletonStore store_in(const TempDir& dir) {
  return SkeletonStore(dir.path("store"), ::geteuid(), ::getegid());
}

TEST(SkeletonStore, MakesWhatIsMissing) {
  const TempDir dir;
  std::atomic<int> made = 0;
  EXPECT_EQ(read(store_in(dir).get(source_with("content", made))), "content");
  EXPECT_EQ(made, 1);
}

TEST(SkeletonStore, UsesWhatIsThere) {
  const TempDir dir;
  std::atomic<int> made = 0;
  const HostPath first = store_in(dir).get(source_with("content", made));
  const HostPath second = store_in(dir).get(source_with("content", made));
  EXPECT_EQ(first.path, second.path);
  EXPECT_EQ(first.inode, second.inode);
  EXPECT_EQ(made, 1);
}

TEST(SkeletonStore, OtherContentIsAnotherSkeleton) {
  const TempDir dir;
  std::atomic<int> made = 0;
  EXPECT_EQ(read(store_in(dir).get(source_with("one", made))), "one");
  EXPECT_EQ(read(store_in(dir).get(source_with("two", made))), "two");
}

TEST(SkeletonStore, WritersAtOnceAgreeAndLeaveNoDrafts) {
  const TempDir dir;
  std::atomic<int> made = 0;
  const TemplateSource source = source_with("content", made);
  std::vector<HostPath> found(8);
  {
    std::vector<std::jthread> writers;
    for (HostPath& each : found) {
      writers.emplace_back([&] { each = store_in(dir).get(source); });
    }
  }
  for (const HostPath& each : found) EXPECT_EQ(each.inode, found.front().inode);
  EXPECT_EQ(skeletons_in(dir), 1U);
}

TEST(SkeletonStore, DraftOfOneThatDiedIsNoSkeleton) {
  const TempDir dir;
  std::atomic<int> made = 0;
  const TemplateSource source = source_with("content", made);
  const HostPath whole = store_in(dir).get(source);
  fs::rename(whole.path, whole.path + ".Xx12ab");
  fs::remove(whole.path + ".Xx12ab/etc/mark");
  EXPECT_EQ(read(store_in(dir).get(source)), "content");
}

TEST(SkeletonStore, MissingParentIsEnoent) {
  const TempDir dir;
  std::atomic<int> made = 0;
  const SkeletonStore store(dir.path("no/store"), ::geteuid(), ::getegid());
  EXPECT_THAT([&] { store.get(source_with("x", made)); }, FailsWith(ENOENT));
}

}  // namespace
}  // namespace sandbox
