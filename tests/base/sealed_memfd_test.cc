#include "runtime/base/sealed_memfd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "tests/support/in_child.h"

namespace sandbox {
namespace {

UniqueFd sealed(std::string_view content, Executable executable = Executable::No) {
  return make_sealed_memfd("test", std::as_bytes(std::span(content)), executable);
}

std::string read_all(int fd) {
  check(::lseek(fd, 0, SEEK_SET), "lseek");
  return read_to_end(fd, "memfd", 1 << 20);
}

TEST(SealedMemfd, HoldsTheContent) { EXPECT_EQ(read_all(sealed("content").get()), "content"); }

TEST(SealedMemfd, IsCloseOnExec) {
  EXPECT_EQ(::fcntl(sealed("content").get(), F_GETFD), FD_CLOEXEC);
}

TEST(SealedMemfd, CannotBeWrittenGrownOrShrunk) {
  const UniqueFd fd = sealed("content");
  EXPECT_EQ(::pwrite(fd.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(fd.get(), 1), -1);
  EXPECT_EQ(::ftruncate(fd.get(), 100), -1);
  EXPECT_EQ(::mmap(nullptr, 1, PROT_WRITE, MAP_SHARED, fd.get(), 0), MAP_FAILED);
  EXPECT_EQ(read_all(fd.get()), "content");
}

TEST(SealedMemfd, SealsCannotBeTakenOff) {
  const UniqueFd fd = sealed("content");
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, 0), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST(SealedMemfd, IsKnownAsSealed) { EXPECT_TRUE(is_sealed(sealed("").get())); }

TEST(SealedMemfd, FileWithSomeSealsOnlyIsNotSealed) {
  const UniqueFd fd{check(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd")};
  EXPECT_FALSE(is_sealed(fd.get()));
  check(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), "fcntl");
  EXPECT_FALSE(is_sealed(fd.get()));
}

TEST(SealedMemfd, OrdinaryFileIsNotSealed) {
  const UniqueFd null{check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open")};
  EXPECT_FALSE(is_sealed(null.get()));
}

TEST(SealedMemfd, ExecutableOneRuns) {
  const UniqueFd program{check(::open("/bin/true", O_RDONLY | O_CLOEXEC), "open", "/bin/true")};
  const std::string image = read_to_end(program.get(), "/bin/true", 64 << 20);
  const auto end = test::in_child([&] {
    const UniqueFd fd = sealed(image, Executable::Yes);
    char name[] = "true";
    char* const argv[] = {name, nullptr};
    char* const envp[] = {nullptr};
    ::fexecve(fd.get(), argv, envp);
    throw Error(errno, "fexecve", "memfd");
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

}  // namespace
}  // namespace sandbox
