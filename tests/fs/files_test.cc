#include "sandbox/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class FilesTest : public ::testing::TestWithParam<RootKind> {
 protected:
  const Files& files() const { return root_.files(); }
  mode_t mode_of(const std::string& path) const { return status_of_path(path).st_mode & 07777; }
  struct stat status_of_path(const std::string& path) const {
    struct stat status = {};
    check(::lstat(root_.inside(path).c_str(), &status), "lstat", path);
    return status;
  }
  std::vector<std::string> names(const std::string& path, int depth) const {
    std::vector<std::string> found;
    for (const EntryInfo& entry : files().list(path, {.depth = depth})) {
      found.push_back(entry.path);
    }
    return found;
  }

  TestRoot root_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Roots, FilesTest, kAllRoots, ::testing::PrintToStringParamName());

TEST_P(FilesTest, WhatIsWrittenIsRead) {
  files().write("/home/user/a.txt", "hello");
  EXPECT_EQ(files().read("/home/user/a.txt"), "hello");
}

TEST_P(FilesTest, BytesOfAnyValueSurvive) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  files().write("all", bytes);
  EXPECT_EQ(files().read("all"), bytes);
}

TEST_P(FilesTest, RelativePathsStartInTheHome) {
  files().write("a", "1");
  files().write("~/b", "2");
  EXPECT_EQ(root_.read("/home/user/a") + root_.read("/home/user/b"), "12");
}

TEST_P(FilesTest, WriteTellsNameAndAbsolutePath) {
  const WriteInfo info = files().write("./dir//./a", "1");
  EXPECT_EQ(info.name, "a");
  EXPECT_EQ(info.path, "/home/user/dir/a");
}

TEST_P(FilesTest, MissingParentsAreMadeAndBelongToTheUser) {
  files().write("/home/user/p/q/r", "1");
  const struct stat status = status_of_path("/home/user/p/q");
  EXPECT_EQ(status.st_uid, root_.owner().host_uid);
  EXPECT_EQ(status.st_gid, root_.owner().host_gid);
  EXPECT_EQ(status.st_mode & 07777, 0755U);
}

TEST_P(FilesTest, NewFilesAre0644WhateverTheUmask) {
  const mode_t old = ::umask(077);
  files().write("p/a", "1");
  ::umask(old);
  EXPECT_EQ(mode_of("/home/user/p/a"), 0644U);
  EXPECT_EQ(mode_of("/home/user/p"), 0755U);
}

TEST_P(FilesTest, OverwritingKeepsTheModeAndShortens) {
  root_.write("/home/user/a", "long content");
  root_.as_payload([&] { ::chmod(root_.inside("/home/user/a").c_str(), 0700); });
  files().write("a", "short");
  EXPECT_EQ(root_.read("/home/user/a"), "short");
  EXPECT_EQ(mode_of("/home/user/a"), 0700U);
}

TEST_P(FilesTest, WritingTakesSetIdBitsAway) {
  root_.write("/home/user/a", "x");
  root_.as_payload([&] { ::chmod(root_.inside("/home/user/a").c_str(), 06755); });
  ASSERT_EQ(mode_of("/home/user/a"), 06755U);
  files().write("a", "y");
  EXPECT_EQ(mode_of("/home/user/a"), 0755U);
}

TEST_P(FilesTest, AtomicWriteReplacesTheFile) {
  root_.write("/home/user/a", "old");
  const ino_t before = status_of_path("/home/user/a").st_ino;
  files().write("a", "new", {.mode = WriteMode::Atomic});
  EXPECT_EQ(root_.read("/home/user/a"), "new");
  EXPECT_NE(status_of_path("/home/user/a").st_ino, before);
}

TEST_P(FilesTest, AtomicWriteThatFailsLeavesNothing) {
  const auto source = []() -> std::string_view { throw std::runtime_error("no more data"); };
  EXPECT_THROW(files().write_chunks("a", source, {.mode = WriteMode::Atomic}), std::runtime_error);
  EXPECT_THAT(names("~", 1), IsEmpty());
}

TEST_P(FilesTest, AppendAddsAndCreates) {
  files().append("log", "a");
  files().append("log", "b");
  EXPECT_EQ(files().read("log"), "ab");
}

TEST_P(FilesTest, ChunksArriveInOrder) {
  const std::vector<std::string> pieces = {"a", "bc", ""};
  size_t next = 0;
  files().write_chunks("a", [&] { return std::string_view(pieces[next++]); });
  std::string seen;
  EXPECT_EQ(files().read_chunks("a", [&](std::string_view chunk) { seen += chunk; }), 3U);
  EXPECT_EQ(seen, "abc");
}

TEST_P(FilesTest, StreamsThroughDescriptors) {
  int ends[2] = {};
  check(::pipe2(ends, O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  check(::write(writer.get(), "piped", 5), "write");
  writer.reset();
  files().write_from("a", reader.get());
  const UniqueFd host(check(::memfd_create("host", MFD_CLOEXEC), "memfd_create"));
  EXPECT_EQ(files().read_to("a", host.get()), 5U);
  char content[8] = {};
  EXPECT_EQ(::pread(host.get(), content, sizeof content, 0), 5);
  EXPECT_STREQ(content, "piped");
}

TEST_P(FilesTest, RangesAreCutAtTheEnd) {
  files().write("a", "0123456789");
  EXPECT_EQ(files().read("a", {.offset = 2, .length = 3}), "234");
  EXPECT_EQ(files().read("a", {.offset = 8, .length = 100}), "89");
  EXPECT_EQ(files().read("a", {.offset = 100}), "");
}

TEST_P(FilesTest, NegativeRangeIsInvalid) {
  files().write("a", "0123456789");
  EXPECT_THAT([&] { files().read("a", {.offset = -1}); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { files().read("a", {.length = -1}); }, FailsWith(EINVAL));
}

TEST_P(FilesTest, WriteManyWritesAllInOrder) {
  const std::vector<WriteInfo> written = files().write_many({{"a", "1"}, {"b/c", "2"}});
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[1].path, "/home/user/b/c");
  EXPECT_EQ(files().read("b/c"), "2");
}

TEST_P(FilesTest, ReadingNamesWhatIsWrong) {
  files().write("file", "x");
  EXPECT_THAT([&] { files().read("missing"); }, FailsWith(ENOENT, HasSubstr("/home/user/missing")));
  EXPECT_THAT([&] { files().read("/home"); }, FailsWith(EISDIR));
  EXPECT_THAT([&] { files().read("file/below"); }, FailsWith(ENOTDIR));
  EXPECT_THAT([&] { files().write("/home", "x"); }, FailsWith(EISDIR));
  EXPECT_THAT([&] { files().write("/home", "x", {.mode = WriteMode::Atomic}); }, FailsWith(EISDIR));
}

TEST_P(FilesTest, BadPathsAreInvalid) {
  for (const std::string& path : {std::string(), std::string("a\0b", 3), std::string("~other")}) {
    EXPECT_THAT([&] { files().read(path); }, FailsWith(EINVAL)) << path;
    EXPECT_THAT([&] { files().write(path, ""); }, FailsWith(EINVAL)) << path;
    EXPECT_THAT([&] { files().list(path); }, FailsWith(EINVAL)) << path;
    EXPECT_THAT([&] { files().remove(path); }, FailsWith(EINVAL)) << path;
    EXPECT_THAT([&] { files().make_dir(path); }, FailsWith(EINVAL)) << path;
    EXPECT_THAT([&] { files().watch(path); }, FailsWith(EINVAL)) << path;
  }
}

TEST_P(FilesTest, RelativePathNeedsAHome) {
  EXPECT_THAT([&] { files().read("a", {.user = "homeless"}); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { files().read("~", {.user = "homeless"}); }, FailsWith(EINVAL));
}

TEST_P(FilesTest, UnknownUserIsInvalid) {
  EXPECT_THAT([&] { files().read("a", {.user = "nobody"}); }, FailsWith(EINVAL));
}

TEST_P(FilesTest, PathsBeyondPathMaxAreTooLong) {
  EXPECT_THAT([&] { files().read("/" + std::string(5000, 'a')); }, FailsWith(ENAMETOOLONG));
}

TEST_P(FilesTest, DotDotStopsAtTheRoot) {
  files().write("/../../home/user/../../top", "x");
  EXPECT_EQ(root_.read("/top"), "x");
}

TEST_P(FilesTest, NamesOf255ArbitraryBytesWork) {
  std::string name(255, '\xff');
  name.replace(0, 8, "\n\t\x1b[2J\xc3\x28");
  files().write(name, "odd");
  EXPECT_EQ(files().read(name), "odd");
  EXPECT_EQ(files().list("~").at(0).name, name);
  files().write(name, "new", {.mode = WriteMode::Atomic});
  files().remove(name);
  EXPECT_FALSE(files().exists(name));
}

TEST_P(FilesTest, ListGivesParentsBeforeChildrenInOrderOfBytes) {
  for (const char* path : {"b/2", "b/1", "a", "b.x", "B"}) files().write(path, "");
  EXPECT_THAT(names("~", 5), ElementsAre("/home/user/B", "/home/user/a", "/home/user/b",
                                         "/home/user/b/1", "/home/user/b/2", "/home/user/b.x"));
}

TEST_P(FilesTest, ListStopsAtItsDepth) {
  files().write("a/b/c", "");
  EXPECT_THAT(names("~", 2), ElementsAre("/home/user/a", "/home/user/a/b"));
  EXPECT_THAT([&] { files().list("~", {.depth = 0}); }, FailsWith(EINVAL));
}

TEST_P(FilesTest, ListOfAFileOrNothingFails) {
  files().write("a", "");
  EXPECT_THAT([&] { files().list("a"); }, FailsWith(ENOTDIR));
  EXPECT_THAT([&] { files().list("b"); }, FailsWith(ENOENT));
}

TEST_P(FilesTest, ListFollowsOnlyTheSymlinkItIsGiven) {
  files().write("real/dir/file", "");
  files().symlink("real", "link");
  files().symlink("dir", "real/inner");
  EXPECT_THAT(names("link", 3), ElementsAre("/home/user/link/dir", "/home/user/link/dir/file",
                                            "/home/user/link/inner"));
}

TEST_P(FilesTest, ListHasALimit) {
  for (const char* name : {"a", "b", "c"}) files().write(name, "");
  EXPECT_THAT([&] { files().list("~", {.max_entries = 2}); }, FailsWith(E2BIG));
  EXPECT_EQ(files().list("~", {.max_entries = 3}).size(), 3U);
}

TEST_P(FilesTest, StatTellsEverything) {
  files().write("a", "12345", {.metadata = {{"Kind", "result"}}});
  const EntryInfo entry = files().stat("a").value();
  EXPECT_EQ(entry.name, "a");
  EXPECT_EQ(entry.path, "/home/user/a");
  EXPECT_EQ(entry.type, EntryType::File);
  EXPECT_EQ(entry.size, 5U);
  EXPECT_EQ(entry.mode, 0644U);
  EXPECT_EQ(entry.permissions, "-rw-r--r--");
  EXPECT_EQ(entry.owner, "user");
  EXPECT_EQ(entry.group, "user");
  EXPECT_THAT(entry.metadata, ElementsAre(Pair("kind", "result")));
  EXPECT_LT(std::chrono::system_clock::now() - entry.modified_time, std::chrono::minutes(1));
}

TEST_P(FilesTest, StatOfNothingIsNothing) {
  EXPECT_FALSE(files().stat("a").has_value());
  EXPECT_FALSE(files().stat("a/b").has_value());
  EXPECT_FALSE(files().exists("a"));
}

TEST_P(FilesTest, SymlinkHasTheTypeOfItsTarget) {
  files().write("dir/file", "x");
  files().chmod("dir", 0711);
  files().symlink("dir", "one");
  files().symlink("/home/user/one", "two");
  const EntryInfo entry = files().stat("two").value();
  EXPECT_EQ(entry.type, EntryType::Directory);
  EXPECT_EQ(entry.mode, 0711U);
  EXPECT_EQ(entry.permissions, "Lrwxrwxrwx");
  EXPECT_EQ(entry.symlink_target, "/home/user/dir");
}

TEST_P(FilesTest, BrokenSymlinkIsASymlink) {
  files().symlink("nowhere", "broken");
  const EntryInfo entry = files().stat("broken").value();
  EXPECT_EQ(entry.type, EntryType::Symlink);
  EXPECT_EQ(entry.symlink_target, "/home/user/broken");
  EXPECT_FALSE(files().exists("broken"));
  EXPECT_EQ(files().list("~").at(0).type, EntryType::Symlink);
}

TEST_P(FilesTest, WritingThroughABrokenSymlinkCreatesItsTarget) {
  files().symlink("target", "link");
  files().write("link", "x");
  EXPECT_EQ(root_.read("/home/user/target"), "x");
}

TEST_P(FilesTest, MakeDirTellsWhetherItWasNew) {
  EXPECT_TRUE(files().make_dir("a/b/c"));
  EXPECT_FALSE(files().make_dir("a/b/c"));
  EXPECT_FALSE(files().make_dir("/"));
  files().write("file", "");
  EXPECT_THAT([&] { files().make_dir("file"); }, FailsWith(ENOTDIR));
}

TEST_P(FilesTest, RenameMovesAndReplaces) {
  files().write("a", "new");
  files().write("b/c", "old");
  const EntryInfo entry = files().rename("a", "b/c");
  EXPECT_EQ(entry.path, "/home/user/b/c");
  EXPECT_EQ(files().read("b/c"), "new");
  EXPECT_FALSE(files().exists("a"));
}

TEST_P(FilesTest, RenameMakesParentsAndNeedsASource) {
  files().write("a", "x");
  files().rename("a", "new/parent/a");
  EXPECT_EQ(files().read("new/parent/a"), "x");
  EXPECT_THAT([&] { files().rename("a", "b"); }, FailsWith(ENOENT));
}

TEST_P(FilesTest, RemoveTakesTreesAndNothing) {
  files().write("a/b/c", "");
  files().symlink("/home", "a/link");
  files().remove("a");
  files().remove("a");
  files().remove("no/such/parent");
  EXPECT_THAT(names("~", 1), IsEmpty());
  EXPECT_TRUE(files().exists("/home/user"));
}

TEST_P(FilesTest, RemoveOfASymlinkLeavesItsTarget) {
  files().write("dir/file", "");
  files().symlink("dir", "link");
  files().remove("link");
  EXPECT_TRUE(files().exists("dir/file"));
}

TEST_P(FilesTest, RootCannotBeRemovedOrRenamed) {
  EXPECT_THAT([&] { files().remove("/"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { files().rename("/", "/a"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { files().remove("/home/.."); }, FailsWith(EINVAL));
}

TEST_P(FilesTest, CopyTakesModesTimesAndLinks) {
  files().write("from/a", "1");
  files().chmod("from/a", 0600);
  files().symlink("a", "from/link");
  files().make_dir("from/empty");
  files().chmod("from/empty", 0500);
  const TransferResult result = files().copy("from", "to");
  EXPECT_EQ(result.files, 1U);
  EXPECT_EQ(result.symlinks, 1U);
  EXPECT_EQ(result.directories, 2U);
  EXPECT_EQ(files().stat("to/a")->modified_time, files().stat("from/a")->modified_time);
  EXPECT_EQ(mode_of("/home/user/to/a"), 0600U);
  EXPECT_EQ(mode_of("/home/user/to/empty"), 0500U);
  EXPECT_EQ(files().stat("to/link")->symlink_target, "/home/user/to/a");
  EXPECT_EQ(status_of_path("/home/user/to/a").st_uid, root_.owner().host_uid);
}

TEST_P(FilesTest, CopyOfADirectoryIntoItselfEnds) {
  files().write("dir/a", "1");
  files().copy("dir", "dir/copy");
  EXPECT_THAT(names("dir", 9),
              ElementsAre("/home/user/dir/a", "/home/user/dir/copy", "/home/user/dir/copy/a"));
}

TEST_P(FilesTest, ChmodRefusesSetIdBits) {
  files().write("a", "");
  files().chmod("a", 0751);
  EXPECT_EQ(mode_of("/home/user/a"), 0751U);
  EXPECT_THAT([&] { files().chmod("a", 04755); }, FailsWith(EPERM));
  EXPECT_THAT([&] { files().chmod("a", 01777); }, FailsWith(EPERM));
}

TEST_P(FilesTest, ChownKnowsOnlyUsersOfTheSandbox) {
  files().write("a", "");
  files().chown("a", "user");
  EXPECT_THAT([&] { files().chown("a", "daemon"); }, FailsWith(EINVAL));
}

TEST_P(FilesTest, TouchCreatesAndSetsTheTime) {
  files().touch("a");
  EXPECT_EQ(files().stat("a")->size, 0U);
  files().write("a", "x");
  root_.as_payload([&] {
    const timespec old[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
    ::utimensat(AT_FDCWD, root_.inside("/home/user/a").c_str(), old, 0);
  });
  files().touch("a");
  EXPECT_EQ(files().read("a"), "x");
  EXPECT_LT(std::chrono::system_clock::now() - files().stat("a")->modified_time,
            std::chrono::minutes(1));
}

TEST_P(FilesTest, DiskUsageCountsLinksOnceAndHolesNot) {
  root_.write("/home/user/a", std::string(10'000, 'x'));
  root_.as_payload([&] {
    ::link(root_.inside("/home/user/a").c_str(), root_.inside("/home/user/b").c_str());
    root_.write("/home/user/sparse", "");
    ::truncate(root_.inside("/home/user/sparse").c_str(), 1 << 30);
  });
  const DiskUsage usage = files().disk_usage("~");
  EXPECT_EQ(usage.files, 2U);
  EXPECT_EQ(usage.directories, 1U);
  EXPECT_EQ(usage.apparent_bytes, 10'000U + (1U << 30));
  EXPECT_LT(usage.disk_bytes, 100'000U);
}

TEST_P(FilesTest, EveryWriteReplacesAllMetadata) {
  files().write("a", "1", {.metadata = {{"One", "1"}, {"two", "2"}}});
  EXPECT_THAT(files().metadata("a"), ElementsAre(Pair("one", "1"), Pair("two", "2")));
  files().write("a", "2", {.metadata = {{"three", "3"}}});
  EXPECT_THAT(files().metadata("a"), ElementsAre(Pair("three", "3")));
  files().append("a", "3");
  EXPECT_EQ(files().metadata("a").size(), 1U);
  files().write("a", "4");
  EXPECT_THAT(files().metadata("a"), IsEmpty());
}

TEST_P(FilesTest, MetadataAreListedWhenAskedFor) {
  files().write("a", "1");
  files().set_metadata("a", {{"k", "v"}});
  EXPECT_THAT(files().list("~").at(0).metadata, IsEmpty());
  EXPECT_THAT(files().list("~", {.metadata = true}).at(0).metadata, ElementsAre(Pair("k", "v")));
}

TEST_P(FilesTest, MetadataHaveToBeTokensAndPrintable) {
  files().write("a", "old");
  for (const Metadata& bad : {Metadata{{"a b", "v"}}, Metadata{{"", "v"}}, Metadata{{"k", "\n"}}}) {
    EXPECT_THAT([&] { files().write("a", "new", {.metadata = bad}); }, FailsWith(EINVAL));
    EXPECT_THAT([&] { files().set_metadata("a", bad); }, FailsWith(EINVAL));
  }
  EXPECT_EQ(files().read("a"), "old");
}

TEST_P(FilesTest, ClosedContextFailsWithEpipe) {
  files().write("a", "x");
  root_.context().close();
  EXPECT_THAT([&] { files().read("a"); }, FailsWith(EPIPE));
  EXPECT_THAT([&] { files().list("/"); }, FailsWith(EPIPE));
  EXPECT_THAT([&] { files().watch("/"); }, FailsWith(EPIPE));
}

}  // namespace
}  // namespace sandbox::test
