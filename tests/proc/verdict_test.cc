#include "proc/verdict.h"

#include <gtest/gtest.h>

#include <csignal>

namespace sandbox {
namespace {

constexpr KnownLimits kLimits{.memory_bytes = 64 << 20, .pids = 20, .disk_bytes = 1 << 20};
constexpr Outcome kSigkill = Signaled{.signal = SIGKILL};
constexpr Evidence kQuiet{};

TEST(Verdict, SigkillWithAnOomKillIsOutOfMemory) {
  const Evidence after{.oom_kills = 1, .peak_memory_bytes = 66 << 20};
  EXPECT_EQ(judge(kSigkill, kLimits, kQuiet, after),
            Outcome(OutOfMemory{.limit_bytes = 64 << 20, .peak_bytes = 66 << 20}));
}

TEST(Verdict, ShellThatExitsWith137IsOutOfMemory) {
  const Evidence after{.oom_kills = 1};
  EXPECT_TRUE(std::holds_alternative<OutOfMemory>(judge(Exited{137}, kLimits, kQuiet, after)));
}

TEST(Verdict, OomKillBeforeTheCommandBeganIsNotItsOwn) {
  const Evidence once{.oom_kills = 1};
  EXPECT_EQ(judge(kSigkill, kLimits, once, once), kSigkill);
}

TEST(Verdict, OtherSignalsAreTheirOwnReason) {
  const Evidence after{.oom_kills = 1};
  const Outcome segv = Signaled{.signal = SIGSEGV};
  EXPECT_EQ(judge(segv, kLimits, kQuiet, after), segv);
}

TEST(Verdict, FailureAfterARefusedForkIsThePidLimit) {
  const Evidence after{.refused_forks = 3};
  EXPECT_EQ(judge(Exited{2}, kLimits, kQuiet, after),
            Outcome(PidLimit{.limit = 20, .refused = 3, .exit_code = 2}));
}

TEST(Verdict, CommandThatSucceedsReachedNoLimit) {
  const Evidence after{.oom_kills = 1, .refused_forks = 3, .disk_full = true};
  EXPECT_EQ(judge(Exited{0}, kLimits, kQuiet, after), Outcome(Exited{0}));
}

TEST(Verdict, FailureWithAFullDiskIsTheDiskLimit) {
  EXPECT_EQ(judge(Exited{1}, kLimits, kQuiet, {.disk_full = true}),
            Outcome(DiskLimit{.limit_bytes = 1 << 20, .exit_code = 1}));
}

TEST(Verdict, FailureWithoutEvidenceStaysWhatItIs) {
  EXPECT_EQ(judge(Exited{1}, kLimits, kQuiet, kQuiet), Outcome(Exited{1}));
}

TEST(Verdict, UsageHasWhatHappenedSinceTheStart) {
  Usage usage;
  add_to(usage, {.oom_kills = 2, .refused_forks = 5},
         {.oom_kills = 3, .refused_forks = 9, .peak_memory_bytes = 100});
  EXPECT_EQ(usage.oom_kills, 1U);
  EXPECT_EQ(usage.refused_forks, 4U);
  EXPECT_EQ(usage.sandbox_peak_memory_bytes, 100U);
}

}  // namespace
}  // namespace sandbox
