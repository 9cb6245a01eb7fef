#include "runtime/base/kernel_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sandbox/unique_fd.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::FailsWith;
using test::TempDir;
using ::testing::HasSubstr;

UniqueFd open_directory(const TempDir& dir) {
  return UniqueFd(
      check(::open(dir.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open", dir.path()));
}

TEST(KernelFile, ReadsAFileThatClaimsToBeEmpty) {
  EXPECT_THAT(read_kernel_file(AT_FDCWD, "/proc/self/status"), HasSubstr("Pid:"));
}

TEST(KernelFile, ReadsBelowTheDirectory) {
  const TempDir dir = TempDir::with({{"value", "42\n"}});
  EXPECT_EQ(read_kernel_file(open_directory(dir).get(), "value"), "42\n");
}

TEST(KernelFile, MissingFileIsNamed) {
  EXPECT_THAT([] { read_kernel_file(AT_FDCWD, "/proc/no-such-file"); },
              FailsWith(ENOENT, HasSubstr("/proc/no-such-file")));
  EXPECT_THAT([] { write_kernel_file(AT_FDCWD, "/proc/no-such-file", "1"); },
              FailsWith(ENOENT, HasSubstr("/proc/no-such-file")));
}

TEST(KernelFile, WritesTheValue) {
  const auto end = test::in_child([] {
    write_kernel_file(AT_FDCWD, "/proc/self/oom_score_adj", "700");
    return read_kernel_file(AT_FDCWD, "/proc/self/oom_score_adj");
  });
  EXPECT_EQ(end.text, "700\n");
}

TEST(KernelFile, RefusedValueIsTheKernelsError) {
  EXPECT_THAT([] { write_kernel_file(AT_FDCWD, "/proc/self/oom_score_adj", "5000"); },
              FailsWith(EINVAL));
}

TEST(KernelFile, DoesNotCreateFiles) {
  const TempDir dir;
  EXPECT_THAT([&] { write_kernel_file(open_directory(dir).get(), "new", "1"); }, FailsWith(ENOENT));
  EXPECT_FALSE(dir.exists("new"));
}

TEST(KernelFile, FileAtTheLimitIsReadAndOneByteMoreRefused) {
  const TempDir dir = TempDir::with({{"at", std::string(40'000, 'x')}});
  const UniqueFd root = open_directory(dir);
  EXPECT_EQ(read_kernel_file(root.get(), "at", 40'000).size(), 40'000U);
  EXPECT_THAT([&] { read_kernel_file(root.get(), "at", 39'999); }, FailsWith(EFBIG));
}

TEST(KernelFile, EndlessFileIsRefusedAtTheLimit) {
  EXPECT_THAT([] { read_kernel_file(AT_FDCWD, "/dev/zero", 1 << 16); }, FailsWith(EFBIG));
}

TEST(KernelFile, WriteAllWritesMoreThanAPipeHolds) {
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader{ends[0]};
  UniqueFd writer{ends[1]};
  const std::string text(1 << 20, 'x');
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    write_all(writer.get(), std::as_bytes(std::span(text)), "pipe");
    ::_exit(0);
  }
  writer.reset();
  EXPECT_TRUE(read_to_end(reader.get(), "pipe", 2 << 20) == text);
  check(::waitpid(child, nullptr, 0), "waitpid");
}

}  // namespace
}  // namespace sandbox
