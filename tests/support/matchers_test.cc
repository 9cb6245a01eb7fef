#include "tests/support/matchers.h"

#include <gmock/gmock.h>

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const auto kRefuses = [] { throw Error(EPERM, "mount", "/newroot"); };
const auto kWorks = [] { return 0; };

TEST(FailsWith, MatchesTheErrno) {
  EXPECT_THAT(kRefuses, FailsWith(EPERM));
  EXPECT_THAT(kRefuses, Not(FailsWith(EINVAL)));
}

TEST(FailsWith, CallThatWorksDoesNotMatch) { EXPECT_THAT(kWorks, Not(FailsWith(EPERM))); }

TEST(FailsWith, MatchesTheTextToo) {
  EXPECT_THAT(kRefuses, FailsWith(EPERM, HasSubstr("/newroot")));
  EXPECT_THAT(kRefuses, Not(FailsWith(EPERM, HasSubstr("/elsewhere"))));
}

TEST(IsError, MatchesTheErrno) {
  EXPECT_THAT(Error(EPERM, "mount", "/"), IsError(EPERM));
  EXPECT_THAT(Error(EPERM, "mount", "/"), Not(IsError(EINVAL)));
}

}  // namespace
}  // namespace sandbox::test
