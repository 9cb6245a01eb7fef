#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Transfer : public ::testing::TestWithParam<RootKind> {
 protected:
  const Files& files() const { return root_.files(); }

  static mode_t mode_of(const std::string& path) {
    struct stat status = {};
    check(::lstat(path.c_str(), &status), "lstat", path);
    return status.st_mode & 07777;
  }
  static void make_sparse(const std::string& path, off_t size) {
    const UniqueFd fd(check(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "open"));
    check(::ftruncate(fd.get(), size), "ftruncate");
    check(::pwrite(fd.get(), "middle", 6, size / 2), "pwrite");
  }

  TestRoot root_{GetParam()};
  TempDir host_;
};

INSTANTIATE_TEST_SUITE_P(Roots, Transfer, kAllRoots, ::testing::PrintToStringParamName());

TEST_P(Transfer, TreeSurvivesTheRoundTrip) {
  host_.write("in/a", "content of a");
  host_.write("in/sub/b", std::string(300'000, 'b'));
  host_.write("in/empty/", "");
  check(::chmod(host_.path("in/a").c_str(), 0751), "chmod");
  check(::symlink("sub/b", host_.path("in/link").c_str()), "symlink");
  check(::symlink("/etc/passwd", host_.path("in/absolute").c_str()), "symlink");
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 1'000'000, .tv_nsec = 5}};
  check(::utimensat(AT_FDCWD, host_.path("in/a").c_str(), times, 0), "utimensat");

  const TransferResult up = files().upload(host_.path("in"), "there");
  EXPECT_EQ(up.files, 2U);
  EXPECT_EQ(up.symlinks, 2U);
  EXPECT_EQ(up.directories, 3U);
  EXPECT_EQ(up.bytes, 300'012U);
  EXPECT_EQ(files().stat("there/a")->owner, "user");
  files().download("there", host_.path("out"));
  EXPECT_EQ(host_.read("out/a"), "content of a");
  EXPECT_EQ(host_.read("out/sub/b"), std::string(300'000, 'b'));
  EXPECT_TRUE(fs::is_directory(host_.path("out/empty")));
  EXPECT_EQ(mode_of(host_.path("out/a")), 0751U);
  EXPECT_EQ(fs::read_symlink(host_.path("out/link")), "sub/b");
  EXPECT_EQ(fs::read_symlink(host_.path("out/absolute")), "/etc/passwd");
  EXPECT_EQ(fs::last_write_time(host_.path("out/a")), fs::last_write_time(host_.path("in/a")));
}

TEST_P(Transfer, FileReplacesFileAndKeepsSetIdBitsOut) {
  host_.write("new", "new");
  check(::chmod(host_.path("new").c_str(), 06711), "chmod");
  root_.write("/home/user/target", "old");
  files().upload(host_.path("new"), "target");
  EXPECT_EQ(files().read("target"), "new");
  EXPECT_EQ(mode_of(root_.inside("/home/user/target")), 0711U);
  root_.as_payload([&] { ::chmod(root_.inside("/home/user/target").c_str(), 06755); });
  files().download("target", host_.path("back"));
  EXPECT_EQ(mode_of(host_.path("back")), 0755U);
}

TEST_P(Transfer, ParentsThatAreMissingBelongToTheUser) {
  host_.write("file", "content");
  files().upload(host_.path("file"), "new/sub/file");
  files().copy("new/sub/file", "other/file");
  EXPECT_EQ(files().read("other/file"), "content");
  EXPECT_EQ(files().stat("new/sub")->owner, "user");
  EXPECT_EQ(files().stat("other")->owner, "user");
}

TEST_P(Transfer, SparseFilesStaySparse) {
  constexpr off_t kSize = off_t{10} << 30;
  make_sparse(host_.path("sparse"), kSize);
  const TransferResult up = files().upload(host_.path("sparse"), "sparse");
  EXPECT_LE(up.bytes, 1U << 20);
  const TransferResult down = files().download("sparse", host_.path("back"));
  EXPECT_LE(down.bytes, 1U << 20);
  struct stat status = {};
  check(::stat(host_.path("back").c_str(), &status), "stat");
  EXPECT_EQ(status.st_size, kSize);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
  EXPECT_EQ(files().read("sparse", {.offset = kSize / 2, .length = 6}), "middle");
}

TEST_P(Transfer, DownloadDoesNotWriteThroughEarlierSymlinks) {
  const TempDir outside = TempDir::with({{"file", "canary"}, {"dir/file", "canary"}});
  root_.as_payload([&] {
    ::symlink(outside.path("file").c_str(), root_.inside("/home/user/file").c_str());
    ::symlink(outside.path("dir").c_str(), root_.inside("/home/user/dir").c_str());
  });
  files().download("~", host_.path("out"));
  ASSERT_EQ(host_.read("out/dir/file"), "canary");  // The symlinks are there.
  root_.as_payload([&] {
    ::unlink(root_.inside("/home/user/file").c_str());
    ::unlink(root_.inside("/home/user/dir").c_str());
  });
  root_.write("/home/user/file", "evil");
  root_.write("/home/user/dir/file", "evil");
  files().download("~", host_.path("out"));
  EXPECT_EQ(host_.read("out/dir/file"), "evil");
  EXPECT_EQ(outside.read("file") + outside.read("dir/file"), "canarycanary");
}

TEST_P(Transfer, SpecialFilesAreSkippedAndNamed) {
  files().write("dir/file", "x");
  root_.as_payload([&] { ::mkfifo(root_.inside("/home/user/dir/fifo").c_str(), 0644); });
  const TransferResult result = files().download("dir", host_.path("out"));
  EXPECT_THAT(result.skipped, ElementsAre("fifo"));
  EXPECT_EQ(result.files, 1U);
}

TEST_P(Transfer, ProgressIsReportedAndMayStop) {
  host_.write("a", std::string(1'000'000, 'a'));
  uint64_t last = 0;
  files().upload(host_.path("a"), "a", {.progress = [&](const TransferProgress& now) {
                   EXPECT_EQ(now.path, "a");
                   last = now.bytes;
                 }});
  EXPECT_EQ(last, 1'000'000U);
  const auto stop = [](const TransferProgress&) { throw std::runtime_error("enough"); };
  EXPECT_THROW(files().upload(host_.path("a"), "b", {.progress = stop}), std::runtime_error);
  EXPECT_FALSE(files().exists("b"));
  EXPECT_EQ(files().list("~").size(), 1U);
}

TEST_P(Transfer, LimitsHold) {
  root_.write("/home/user/dir/a", std::string(1000, 'x'));
  root_.write("/home/user/dir/b", std::string(1000, 'x'));
  EXPECT_THAT([&] { files().download("dir", host_.path("o"), {.max_bytes = 1500}); },
              FailsWith(EFBIG));
  EXPECT_THAT([&] { files().download("dir", host_.path("o"), {.max_entries = 1}); },
              FailsWith(E2BIG));
}

TEST_P(Transfer, TargetThatCannotBeMadeIsNamed) {
  root_.write("/home/user/file", "content");
  const auto into_proc = [&] { files().download("file", "/proc/no such file"); };
  EXPECT_THAT(into_proc, FailsWith(ENOENT, HasSubstr("no such file")));
}

TEST_P(Transfer, MissingAndSpecialSourcesAreErrors) {
  EXPECT_THAT([&] { files().upload(host_.path("none"), "x"); }, FailsWith(ENOENT));
  EXPECT_THAT([&] { files().download("none", host_.path("x")); }, FailsWith(ENOENT));
  check(::mkfifo(host_.path("fifo").c_str(), 0644), "mkfifo");
  EXPECT_THAT([&] { files().upload(host_.path("fifo"), "x"); }, FailsWith(EINVAL));
}

class Tar : public Transfer {
 protected:
  UniqueFd archive_of(const std::string& path) const {
    UniqueFd archive(check(::memfd_create("tar", MFD_CLOEXEC), "memfd_create"));
    files().download_tar(path, archive.get());
    check(::lseek(archive.get(), 0, SEEK_SET), "lseek");
    return archive;
  }
};

INSTANTIATE_TEST_SUITE_P(Roots, Tar, kAllRoots, ::testing::PrintToStringParamName());

TEST_P(Tar, TreeSurvivesTheRoundTrip) {
  const std::string odd_name = "odd\xff\n";
  files().write("in/zażółć", "utf-8");
  files().write("in/a", "content");
  files().write("in/sub/" + odd_name, "odd");
  files().chmod("in/a", 0700);
  files().symlink("../x", "in/sub/link");
  files().make_dir("in/locked");
  files().chmod("in/locked", 0555);
  const UniqueFd archive = archive_of("in");
  const TransferResult result = files().upload_tar(archive.get(), "out");
  EXPECT_EQ(result.files, 3U);
  EXPECT_EQ(result.symlinks, 1U);
  EXPECT_EQ(files().read("out/zażółć"), "utf-8");
  EXPECT_EQ(files().read("out/a"), "content");
  EXPECT_EQ(files().read("out/sub/" + odd_name), "odd");
  EXPECT_EQ(files().stat("out/a")->mode, 0700U);
  EXPECT_EQ(files().stat("out/locked")->mode, 0555U);
  EXPECT_EQ(files().stat("out/a")->modified_time, files().stat("in/a")->modified_time);
}

TEST_P(Tar, SparseFilesStaySparse) {
  root_.as_payload([&] { make_sparse(root_.inside("/home/user/sparse"), off_t{2} << 30); });
  root_.as_payload([&] {
    const std::string hole = root_.inside("/home/user/hole");
    ::close(::open(hole.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    ::truncate(hole.c_str(), off_t{1} << 30);
  });
  const UniqueFd archive = archive_of("~");
  struct stat status = {};
  check(::fstat(archive.get(), &status), "fstat");
  EXPECT_LT(status.st_size, 1 << 20);
  files().upload_tar(archive.get(), "out");
  EXPECT_EQ(files().stat("out/sparse")->size, uint64_t{2} << 30);
  EXPECT_EQ(files().stat("out/hole")->size, uint64_t{1} << 30);
  EXPECT_LT(files().disk_usage("out").disk_bytes, 1U << 20);
  EXPECT_EQ(files().read("out/sparse", {.offset = 1 << 30, .length = 6}), "middle");
}

TEST_P(Tar, ArchiveOfAFileHasItsName) {
  files().write("one", "1");
  const UniqueFd archive = archive_of("one");
  files().upload_tar(archive.get(), "out");
  EXPECT_EQ(files().read("out/one"), "1");
}

TEST_P(Tar, ArchivesOfOtherProgramsAreRead) {
  require_program("tar");
  host_.write("in/zażółć", "utf-8");
  host_.write("in/" + std::string(200, 'n'), "long name");
  const std::string command =
      "tar --format=pax -czf " + host_.path("a.tar.gz") + " -C " + host_.path("in") + " .";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const UniqueFd archive(
      check(::open(host_.path("a.tar.gz").c_str(), O_RDONLY | O_CLOEXEC), "open"));
  EXPECT_EQ(files().upload_tar(archive.get(), "out").files, 2U);
  EXPECT_EQ(files().read("out/zażółć"), "utf-8");
  EXPECT_EQ(files().read("out/" + std::string(200, 'n')), "long name");
}

TEST_P(Tar, GarbageIsInvalid) {
  const UniqueFd garbage(check(::memfd_create("tar", MFD_CLOEXEC), "memfd_create"));
  const std::string text(10'000, 'x');
  check(::write(garbage.get(), text.data(), text.size()), "write");
  check(::lseek(garbage.get(), 0, SEEK_SET), "lseek");
  EXPECT_THAT([&] { files().upload_tar(garbage.get(), "out"); }, FailsWith(EINVAL));
}

// Entries as an attacker writes them: a ustar header is 512 bytes, and its checksum is their sum.
std::string tar_entry(const std::string& name, char type, const std::string& link,
                      const std::string& content) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  put(124, size);
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(157, link);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  put(148, checksum);
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512);
  return header + padded;
}

TEST_P(Tar, NoEntryLeavesTheDirectory) {
  root_.write("/home/user/precious", "precious");
  const std::string text =
      tar_entry("../precious", '0', "", "evil") +
      tar_entry("/home/user/precious", '0', "", "evil") + tar_entry("up", '2', "..", "") +
      tar_entry("up/precious", '0', "", "evil") + tar_entry("root", '2', "/home/user", "") +
      tar_entry("root/precious", '0', "", "evil") + tar_entry("null", '3', "", "") +
      tar_entry("pipe", '6', "", "") + tar_entry("hard", '1', "../precious", "") +
      std::string(1024, '\0');
  const UniqueFd archive(check(::memfd_create("tar", MFD_CLOEXEC), "memfd_create"));
  check(::write(archive.get(), text.data(), text.size()), "write");
  check(::lseek(archive.get(), 0, SEEK_SET), "lseek");
  const TransferResult result = files().upload_tar(archive.get(), "out");
  EXPECT_THAT(result.skipped, ElementsAre("null", "pipe"));
  EXPECT_EQ(files().read("precious"), "precious");
  EXPECT_EQ(files().read("out/precious"), "evil");
  EXPECT_EQ(files().read("out/home/user/precious"), "evil");
  EXPECT_EQ(files().read("out/hard"), "evil");
}

TEST_P(Tar, LimitsHold) {
  files().write("in/a", std::string(100'000, 'x'));
  files().write("in/b", "");
  const UniqueFd archive = archive_of("in");
  EXPECT_THAT([&] { files().upload_tar(archive.get(), "o", {.max_bytes = 1000}); },
              FailsWith(EFBIG));
  check(::lseek(archive.get(), 0, SEEK_SET), "lseek");
  EXPECT_THAT([&] { files().upload_tar(archive.get(), "o", {.max_entries = 1}); },
              FailsWith(E2BIG));
}

}  // namespace
}  // namespace sandbox::test
