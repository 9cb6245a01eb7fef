#include "sandbox/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

#include "sandbox/error.h"

namespace sandbox {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

UniqueFd open_device() {
  return UniqueFd{check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null")};
}

TEST(UniqueFd, IsEmptyByDefault) {
  EXPECT_FALSE(UniqueFd());
  EXPECT_EQ(UniqueFd().get(), -1);
}

TEST(UniqueFd, ZeroIsADescriptor) {
  UniqueFd fd{0};
  EXPECT_TRUE(fd);
  EXPECT_EQ(fd.release(), 0);
}

TEST(UniqueFd, ClosesAtTheEndOfItsScope) {
  int number = -1;
  {
    const UniqueFd fd = open_device();
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, MoveLeavesTheSourceEmpty) {
  UniqueFd from = open_device();
  const int number = from.get();
  const UniqueFd to = std::move(from);
  EXPECT_EQ(to.get(), number);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that it is empty is the promise.
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, AssignmentClosesTheOldOne) {
  UniqueFd fd = open_device();
  const int old = fd.get();
  fd = open_device();
  EXPECT_FALSE(is_open(old));
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(UniqueFd, SelfAssignmentKeepsItOpen) {
  UniqueFd fd = open_device();
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(UniqueFd, ReleasedOneStaysOpen) {
  int number = -1;
  {
    UniqueFd fd = open_device();
    number = fd.release();
  }
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(UniqueFd, ResetCloses) {
  UniqueFd fd = open_device();
  const int number = fd.get();
  fd.reset();
  EXPECT_FALSE(is_open(number));
  EXPECT_FALSE(fd);
}

static_assert(!std::is_copy_constructible_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);

}  // namespace
}  // namespace sandbox
