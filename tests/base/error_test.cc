#include "sandbox/error.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;

int refuse(int errno_value) {
  errno = errno_value;
  return -1;
}

TEST(Error, TextNamesCallSubjectAndReason) {
  EXPECT_STREQ(Error(EPERM, "mount", "/newroot").what(),
               "mount(\"/newroot\"): Operation not permitted");
}

TEST(Error, TextWithoutSubjectNamesOnlyTheCall) {
  EXPECT_STREQ(Error(EAGAIN, "clone3", "").what(), "clone3: Resource temporarily unavailable");
}

TEST(Error, KeepsItsParts) {
  const Error error(ENOENT, "openat2", "/etc/x", "Create it.");
  EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(error.call(), "openat2");
  EXPECT_EQ(error.subject(), "/etc/x");
  EXPECT_EQ(error.hint(), "Create it.");
}

TEST(Error, HintIsEmptyWhenNothingIsKnown) { EXPECT_EQ(Error(EPERM, "mount", "/").hint(), ""); }

TEST(Error, HintIsNoPartOfTheText) {
  EXPECT_EQ(std::string(Error(EPERM, "mount", "/", "Ask.").what()).find("Ask."), std::string::npos);
}

TEST(Check, ReturnsWhatTheCallReturned) {
  EXPECT_EQ(check(0, "open"), 0);
  EXPECT_EQ(check(7, "open"), 7);
}

TEST(Check, ThrowsTheErrnoOfTheCall) {
  EXPECT_THAT([] { check(refuse(EACCES), "open", "/x"); },
              FailsWith(EACCES, testing::StrEq("open(\"/x\"): Permission denied")));
}

TEST(Check, KeepsTheWidthOfTheResult) {
  const ssize_t more_than_an_int = ssize_t{1} << 40;
  EXPECT_EQ(check(more_than_an_int, "copy_file_range"), more_than_an_int);
}

}  // namespace
}  // namespace sandbox
