// Transfers take no more memory than their buffers, however large files and trees are.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "sandbox/error.h"
#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;

// SANDBOX_TREE_FILES asks for more: 100,000 take two minutes on a busy machine.
int files_in_tree() {
  const char* files = std::getenv("SANDBOX_TREE_FILES");
  return files == nullptr ? 1'000 : std::atoi(files);
}

uint64_t peak_bytes() {
  rusage used = {};
  check(::getrusage(RUSAGE_SELF, &used), "getrusage");
  return static_cast<uint64_t>(used.ru_maxrss) * 1024;
}

// The most that this process ever had grows by less than 16 MiB.
template <typename Body>
void expect_flat_memory(const Body& body) {
  const uint64_t before = peak_bytes();
  body();
  if (is_sanitized()) return;
  EXPECT_LT(peak_bytes() - before, 16 * kMebibyte);
}

std::string file_of_tree(int number) {
  return std::to_string(number / 1000) + '/' + std::to_string(number % 1000);
}

class LargeTree : public ::testing::Test {
 protected:
  TestRoot root_{RootKind::Overlay};
  TempDir host_;
};

TEST_F(LargeTree, GoesBothWaysInFlatMemory) {
  const int count = files_in_tree();
  for (int file = 0; file < count; ++file) root_.files().write("tree/" + file_of_tree(file), "x");
  const auto expected = static_cast<uint64_t>(count);
  expect_flat_memory([&] {
    EXPECT_EQ(root_.files().download("tree", host_.path("tree")).files, expected);
    EXPECT_EQ(root_.files().upload(host_.path("tree"), "again").files, expected);
    EXPECT_EQ(root_.files().copy("again", "copy").files, expected);
    const UniqueFd tar(check(::memfd_create("tar", MFD_CLOEXEC), "memfd_create"));
    EXPECT_EQ(root_.files().download_tar("copy", tar.get()).files, expected);
    check(::lseek(tar.get(), 0, SEEK_SET), "lseek");
    EXPECT_EQ(root_.files().upload_tar(tar.get(), "unpacked").files, expected);
    EXPECT_EQ(root_.files().disk_usage("unpacked").files, expected);
    for (const char* tree : {"tree", "again", "copy", "unpacked"}) root_.files().remove(tree);
  });
  EXPECT_TRUE(root_.files().list("~").empty());
}

TEST_F(LargeTree, SparseFileOfTenGibibytesGoesBothWaysInFlatMemory) {
  constexpr off_t kSize = off_t{10} << 30;
  root_.write("/home/user/sparse", "begin");
  root_.as_payload([&] {
    const std::string path = root_.inside("/home/user/sparse");
    const UniqueFd file(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open"));
    check(::ftruncate(file.get(), kSize), "ftruncate");
    check(::pwrite(file.get(), "end", 3, kSize - 3), "pwrite");
  });
  expect_flat_memory([&] {
    root_.files().download("sparse", host_.path("sparse"));
    root_.files().upload(host_.path("sparse"), "again");
    const UniqueFd tar(check(::memfd_create("tar", MFD_CLOEXEC), "memfd_create"));
    root_.files().download_tar("again", tar.get());
    check(::lseek(tar.get(), 0, SEEK_SET), "lseek");
    root_.files().upload_tar(tar.get(), "unpacked");
  });
  EXPECT_EQ(root_.files().stat("unpacked/again")->size, static_cast<uint64_t>(kSize));
  EXPECT_EQ(root_.files().read("unpacked/again", {.offset = kSize - 3}), "end");
  EXPECT_EQ(root_.files().read("unpacked/again", {.length = 5}), "begin");
  EXPECT_LT(root_.files().disk_usage("~").disk_bytes, kMebibyte);
}

}  // namespace
}  // namespace sandbox::test
