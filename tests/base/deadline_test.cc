#include "runtime/base/deadline.h"

#include <gmock/gmock.h>

namespace sandbox {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Deadline, LiesTheTimeoutAheadOfNow) {
  const auto before = Clock::now();
  const auto deadline = deadline_after(1000ms);
  EXPECT_GE(deadline, before + 1000ms);
  EXPECT_LE(deadline, Clock::now() + 1000ms);
}

TEST(Deadline, NegativeTimeoutIsOverAlready) { EXPECT_LT(deadline_after(-1ms), Clock::now()); }

TEST(Deadline, LongestTimeoutIsNeverAndNotInThePast) {
  EXPECT_EQ(deadline_after(std::chrono::milliseconds::max()), Clock::time_point::max());
}

TEST(Deadline, ShortestTimeoutIsInThePast) {
  EXPECT_LT(deadline_after(std::chrono::milliseconds::min()), Clock::now());
}

}  // namespace
}  // namespace sandbox
