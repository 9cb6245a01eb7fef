#include "runtime/limit_plan.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "sandbox/error.h"
#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
const std::string kInMemory;
const std::string kOnDisk = "/";

auto planning(const Limits& limits) {
  return [limits] { plan_limits(limits, kInMemory); };
}

TEST(LimitPlan, NoLimitNeedsNoCgroup) {
  const LimitPlan plan = plan_limits({}, kInMemory);
  EXPECT_FALSE(plan.needs_cgroup);
  EXPECT_EQ(plan.scratch.bytes, 0U);
}

TEST(LimitPlan, EachLimitNeedsItsController) {
  EXPECT_THAT(plan_limits({.memory_bytes = 64 * kMiB}, kInMemory).controllers,
              ElementsAre("memory"));
  EXPECT_THAT(plan_limits({.pids = 5}, kInMemory).controllers, ElementsAre("pids"));
  EXPECT_THAT(plan_limits({.cpus = 0.5}, kInMemory).controllers, ElementsAre("cpu"));
  EXPECT_THAT(plan_limits({.disk_bytes = 8 * kMiB}, kInMemory).controllers, IsEmpty());
}

TEST(LimitPlan, Pid1IsNotCounted) {
  EXPECT_EQ(plan_limits({.pids = 5}, kInMemory).cgroup.pids_max, 6U);
}

TEST(LimitPlan, HalfAProcessorIsHalfOfThePeriod) {
  EXPECT_EQ(plan_limits({.cpus = 0.5}, kInMemory).cgroup.cpu_quota_us, kCpuPeriodUs / 2);
}

TEST(LimitPlan, NumbersOutOfRangeAreRefusedWithTheRange) {
  for (const int64_t bytes : {int64_t{0}, int64_t{-1}, 4 * kMiB - 1, kMost}) {
    EXPECT_THAT(planning({.memory_bytes = bytes}),
                FailsWith(EINVAL, HasSubstr("memory " + std::to_string(bytes))));
    EXPECT_THAT(planning({.memory_high_bytes = bytes}), FailsWith(EINVAL));
  }
  for (const int64_t count : {int64_t{0}, int64_t{-1}, kMost}) {
    EXPECT_THAT(planning({.pids = count}), FailsWith(EINVAL, HasSubstr("pids")));
    EXPECT_THAT(planning({.cpu_weight = count}), FailsWith(EINVAL));
    EXPECT_THAT(planning({.disk_bytes = count}), FailsWith(EINVAL));
    EXPECT_THAT(planning({.open_files = count}), FailsWith(EINVAL));
    EXPECT_THAT(planning({.file_bytes = count}), FailsWith(EINVAL));
    EXPECT_THAT(planning({.disk_read_rate = count}), FailsWith(EINVAL));
    EXPECT_THAT(planning({.disk_write_rate = count}), FailsWith(EINVAL));
  }
  for (const double cpus : {0.0, -1.0, 0.001, 1e9, std::nan("")}) {
    EXPECT_THAT(planning({.cpus = cpus}), FailsWith(EINVAL, HasSubstr("cpus")));
  }
}

std::string answer_to(const Limits& limits) {
  try {
    plan_limits(limits, kInMemory);
  } catch (const Error& error) {
    return std::string(error.what()) + ": " + error.hint();
  }
  return "it was accepted";
}

TEST(LimitPlan, AnswerNamesTheNumberAndTheRange) {
  EXPECT_EQ(answer_to({.memory_bytes = 0}),
            "limit(\"memory 0\"): Invalid argument: it must be between 4 MiB and 1 PiB");
  EXPECT_EQ(answer_to({.pids = -1}),
            "limit(\"pids -1\"): Invalid argument: it must be between 1 and 4194304 processes");
  EXPECT_EQ(answer_to({.cpus = 0}),
            "limit(\"cpus 0.000000\"): Invalid argument: it must be between 0.01 and 1024 "
            "processors");
  EXPECT_EQ(answer_to({.disk_bytes = kMost}),
            "limit(\"disk 9223372036854775807\"): Invalid argument: it must be between 1 MiB and "
            "1 PiB");
  EXPECT_EQ(answer_to({.open_files = 5}),
            "limit(\"open_files 5\"): Invalid argument: it must be between 16 and 4096");
}

TEST(LimitPlan, HighAboveTheLimitIsRefused) {
  EXPECT_THAT(planning({.memory_bytes = 8 * kMiB, .memory_high_bytes = 16 * kMiB}),
              FailsWith(EINVAL));
}

TEST(LimitPlan, FilesInMemoryLeaveRoomForProcesses) {
  EXPECT_EQ(plan_limits({.memory_bytes = 64 * kMiB}, kInMemory).scratch.bytes, 48U * kMiB);
}

TEST(LimitPlan, EachFourKibibytesOfDiskHaveAnInode) {
  EXPECT_EQ(plan_limits({.disk_bytes = 8 * kMiB}, kInMemory).scratch.inodes, 2048U);
}

TEST(LimitPlan, RateOfTheDiskNeedsADisk) {
  EXPECT_THAT(planning({.disk_write_rate = kMiB}),
              FailsWith(EOPNOTSUPP, HasSubstr("limit(\"disk rate\")")));
  EXPECT_THAT([] { plan_limits({.disk_read_rate = 4096}, "/dev/shm"); }, FailsWith(EOPNOTSUPP));
}

TEST(LimitPlan, DiskOfADirectoryCannotBeLimited) {
  EXPECT_THAT([] { plan_limits({.disk_bytes = 8 * kMiB}, kOnDisk); }, FailsWith(EOPNOTSUPP));
}

}  // namespace
}  // namespace sandbox
