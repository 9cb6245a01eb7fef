// Limits of a sandbox: each strikes where it says, and the verdict names it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>

#include "runtime/base/kernel_file.h"
#include "runtime/own_cgroup.h"
#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using test::becomes_true;
using test::Box;
using test::FailsWith;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

constexpr int64_t kMiB = 1 << 20;
// tail(1) keeps its input until the last line ends.
constexpr const char* kMemoryBomb = "exec tail /dev/zero";

std::string own_path() {
  return OwnCgroup::parse(read_kernel_file(AT_FDCWD, "/proc/self/cgroup")).path;
}

// Names of the cgroups of sandboxes that there are, where ours are made: beside our own.
std::set<std::string> sandbox_cgroups() {
  const std::string own = own_path();
  const std::string base = "/sys/fs/cgroup" + own.substr(0, own.rfind('/')) + "/sandbox";
  std::set<std::string> names;
  if (!std::filesystem::exists(base)) return names;
  for (const auto& entry : std::filesystem::directory_iterator(base)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("sbx-")) names.insert(name);
  }
  return names;
}

Box box_with(const Limits& limits) {
  test::require_cgroup_controller("memory");
  return Box(SandboxOptions{.limits = limits});
}

template <typename End>
End end_of(const CommandResult& result) {
  const auto* end = std::get_if<End>(&result.outcome);
  EXPECT_NE(end, nullptr) << to_string(result.outcome) << ": " << result.stderr_text;
  return end == nullptr ? End{} : *end;
}

TEST(Limits, MemoryStrikesAtItsNumber) {
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  const auto end = end_of<OutOfMemory>(box.sh(kMemoryBomb));
  EXPECT_EQ(end.limit_bytes, 64U * kMiB);
  EXPECT_THAT(end.peak_bytes, AllOf(Ge(57U * kMiB), Le(71U * kMiB)));
}

TEST(Limits, MemoryBelowTheLimitIsGiven) {
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  EXPECT_EQ(box.out("head -c 40000000 /dev/zero | tail | wc -c"), "40000000\n");
}

TEST(Limits, ShellThatReportsTheKilledChildIsOutOfMemoryToo) {
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  const CommandResult result = box.sh("tail /dev/zero; exit $?");
  end_of<OutOfMemory>(result);
  EXPECT_EQ(result.exit_code(), 137);
}

TEST(Limits, ProgramThatSurvivesTheKillOfItsChildExited) {
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  const CommandResult result = box.sh("tail /dev/zero; exit 5");
  EXPECT_EQ(result.outcome, Outcome(Exited{5}));
  EXPECT_EQ(result.usage.oom_kills, 1U);
}

TEST(Limits, SigkillBySomebodyElseIsNoWantOfMemory) {
  const Box box = box_with({.memory_bytes = 16 * kMiB});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(box.sh("kill -9 $$").outcome, Outcome(Signaled{.signal = SIGKILL}));
    end_of<OutOfMemory>(box.sh(kMemoryBomb));
  }
}

TEST(Limits, SigkillByTheHostIsNoWantOfMemory) {
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  Process process = box.start("tail /dev/zero; echo ready; exec sleep 1000");
  test::await_output(process, "ready");
  process.kill();
  EXPECT_EQ(process.wait(), Outcome(Signaled{.signal = SIGKILL}));
}

TEST(Limits, FilesInMemoryDoNotEndTheSandbox) {
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  EXPECT_NE(box.sh("head -c 100000000 /dev/zero > /dev/shm/file").exit_code(), 0);
  EXPECT_EQ(box.out("rm /dev/shm/file; echo alive"), "alive\n");
}

// The number of processes that `script` got, of which it is one.
int processes_in(const Box& box, CommandResult& result) {
  result = box.sh("i=0; while :; do sleep 1000 & i=$((i+1)); echo $i; done");
  const std::string& text = result.stdout_text;
  return 1 + std::stoi(text.substr(text.rfind('\n', text.size() - 2) + 1));
}

TEST(Limits, PidsAreAsManyAsAskedFor) {
  const Box box = box_with({.pids = 20});
  CommandResult result;
  EXPECT_EQ(processes_in(box, result), 20);
  const auto end = end_of<PidLimit>(result);
  EXPECT_EQ(end.limit, 20U);
  EXPECT_EQ(end.refused, 1U);
  EXPECT_EQ(end.exit_code, 2);
}

TEST(Limits, PidLimitIsNamedEveryTime) {
  const Box box = box_with({.pids = 8});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(end_of<PidLimit>(box.sh("while :; do sleep 1000 & done")).limit, 8U);
    box.sh("kill -9 -1");
  }
}

// Each for its own reason, time after time, in one sandbox.
TEST(Limits, VerdictsAreExactEveryTime) {
  const Box box;
  constexpr std::chrono::milliseconds kSoon{10};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(box.sh("exit 7").outcome, Outcome(Exited{7}));
    EXPECT_EQ(box.sh("kill -SEGV $$").outcome, Outcome(Signaled{.signal = SIGSEGV}));
    EXPECT_EQ(box.sh("exec sleep 1000", {.timeout = kSoon}).outcome,
              Outcome(TimedOut{TimeLimit::Wall}));
    EXPECT_EQ(box.sh("exec sleep 1000", {.idle_timeout = kSoon}).outcome,
              Outcome(TimedOut{TimeLimit::Idle}));
    EXPECT_EQ(box.sh("while :; do :; done", {.cpu_time = kSoon}).outcome,
              Outcome(TimedOut{TimeLimit::Cpu}));
    EXPECT_EQ(box.sh("exec cat /dev/zero", {.max_output = 4096}).outcome,
              Outcome(OutputLimit{4096}));
  }
}

TEST(Limits, DiskLimitIsNamedEveryTime) {
  test::require_user_xattrs_on_tmpfs();
  const Box box(SandboxOptions{.limits = {.disk_bytes = kMiB}});
  for (int i = 0; i < 20; ++i) {
    end_of<DiskLimit>(box.sh("exec cat /dev/zero > ~/file"));
    EXPECT_EQ(box.sh("rm ~/file; exit 7").outcome, Outcome(Exited{7}));
  }
}

TEST(Limits, WallLimitHoldsUnderAStormOfSignals) {
  const Box box;
  const CommandResult result = box.sh(
      "trap '' TERM; exec 2> /dev/null\n"
      "storm() { while :; do kill -TERM -1; kill -STOP 1; kill -KILL 1; done; }\n"
      "for i in 1 2 3 4; do storm & done; storm",
      {.timeout = std::chrono::milliseconds(300)});
  EXPECT_EQ(result.outcome, Outcome(TimedOut{TimeLimit::Wall}));
  EXPECT_EQ(box.out("echo alive"), "alive\n");
}

// Puts the time of day forward or back, which only the throw-away machine of these tests may.
void move_clock(std::chrono::seconds by) {
  timespec now{};
  check(::clock_gettime(CLOCK_REALTIME, &now), "clock_gettime");
  now.tv_sec += by.count();
  check(::clock_settime(CLOCK_REALTIME, &now), "clock_settime");
}

TEST(Limits, WallLimitHoldsWhenTheClockIsSet) {
  test::require_clock_that_may_be_set();
  const Box box;
  constexpr std::chrono::seconds kLimit{1};
  for (const auto by : {std::chrono::seconds(10), std::chrono::seconds(-10)}) {
    Process process = box.commands().start({.argv = {"sleep", "1000"}, .timeout = kLimit});
    move_clock(by);
    EXPECT_EQ(process.wait(), Outcome(TimedOut{TimeLimit::Wall}));
    EXPECT_THAT(process.usage().wall, AllOf(Ge(kLimit), Le(9 * kLimit)));
  }
}

TEST(Limits, ForkBombEndsWhileAnotherSandboxAnswers) {
  Box box = box_with({.memory_bytes = 256 * kMiB, .pids = 64});
  Process bomb = box.start("bomb() { while :; do bomb & done; }; bomb");
  const Sandbox other = box.runtime().create({.limits = {.pids = 16}});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(other.commands().run({.argv = {"true"}}).outcome, Outcome(Exited{0}));
  }
  EXPECT_TRUE(std::holds_alternative<PidLimit>(bomb.wait()));
  box.sandbox().destroy();
}

TEST(Limits, ProcessorIsGivenInTheShareAskedFor) {
  const Box box = box_with({.cpus = 0.5});
  const CommandResult result = box.sh("while :; do :; done", {.timeout = std::chrono::seconds(4)});
  const auto busy = result.usage.user + result.usage.system;
  const double share =
      static_cast<double>(busy.count()) / static_cast<double>(result.usage.wall.count());
  EXPECT_THAT(share, AllOf(Ge(0.45), Le(0.55)));
  EXPECT_EQ(result.outcome, Outcome(TimedOut{}));
}

TEST(Limits, CommandsAreBornInTheirCgroupAndSeeNoPathOfTheHost) {
  const Box box = box_with({.own_cgroup = true});
  EXPECT_EQ(box.out("cat /proc/self/cgroup"), "0::/payload\n");
}

TEST(Limits, RangeOfIdsHasThemToo) {
  test::require_subordinate_ids();
  if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();  // Removes files of all its users.
  test::require_cgroup_controller("memory");
  const Box box(
      SandboxOptions{.user = "root", .ids = Ids::Range, .limits = {.memory_bytes = 64 * kMiB}});
  end_of<OutOfMemory>(box.sh(kMemoryBomb));
}

TEST(Limits, HostStaysInItsCgroup) {
  const std::string before = own_path();
  const Box box = box_with({.memory_bytes = 64 * kMiB});
  EXPECT_EQ(own_path(), before);
}

TEST(Limits, CgroupGoesWithItsSandbox) {
  Box box = box_with({.memory_bytes = 64 * kMiB});
  const std::set<std::string> with = sandbox_cgroups();
  box.start("sleep 1000").detach();
  box.sandbox().destroy();
  EXPECT_EQ(with.size() - sandbox_cgroups().size(), 1U);
}

TEST(Limits, CgroupsOfKilledOwnersAreCollected) {
  test::require_cgroup_controller("memory");
  for (int i = 0; i < 5; ++i) {
    const auto end = test::in_child([] {
      Box box(SandboxOptions{.limits = {.pids = 10}});
      box.start("sleep 1000").detach();
      ::raise(SIGKILL);
      return std::string();
    });
    EXPECT_EQ(end.signal, SIGKILL) << end;
  }
  EXPECT_TRUE(becomes_true([] {
    Box collector(SandboxOptions{.limits = {.pids = 10}});
    collector.sandbox().destroy();
    return sandbox_cgroups().empty();
  }));
}

TEST(Limits, SandboxWithoutLimitsTouchesNoCgroup) {
  const std::set<std::string> before = sandbox_cgroups();
  const Box box;
  EXPECT_EQ(sandbox_cgroups(), before);
}

TEST(Limits, DetachedSandboxHasThemForWhoAttaches) {
  test::require_cgroup_controller("memory");
  Runtime runtime;
  const Sandbox made = runtime.create(
      {.lifetime = Lifetime::Detached, .limits = {.memory_bytes = 64 * kMiB, .pids = 20}});
  Sandbox attached = runtime.attach(made.id());
  end_of<OutOfMemory>(attached.commands().run({.argv = {"tail", "/dev/zero"}}));
  EXPECT_EQ(attached.stats().pids_limit, 20U);
  attached.pause();
  EXPECT_TRUE(made.stats().paused);
  attached.destroy();
  EXPECT_THAT(sandbox_cgroups(), IsEmpty());
}

TEST(Limits, CgroupOfADetachedSandboxGoesWithItWhoeverEndsIt) {
  test::require_cgroup_controller("memory");
  Runtime runtime;
  const std::string id =
      runtime.create({.lifetime = Lifetime::Detached, .limits = {.own_cgroup = true}}).id();
  EXPECT_EQ(sandbox_cgroups().size(), 1U);
  Runtime().destroy(id);
  EXPECT_THAT(sandbox_cgroups(), IsEmpty());
}

TEST(Limits, CgroupOfADetachedSandboxThatWasKilledIsCollected) {
  test::require_cgroup_controller("memory");
  Runtime runtime;
  const Sandbox made =
      runtime.create({.lifetime = Lifetime::Detached, .limits = {.own_cgroup = true}});
  EXPECT_EQ(sandbox_cgroups().size(), 1U);
  ::kill(made.host_pid(), SIGKILL);
  EXPECT_TRUE(becomes_true([&] {
    runtime.collect();
    return sandbox_cgroups().empty();
  }));
}

TEST(Limits, FrozenSandboxStandsStill) {
  Box box = box_with({.own_cgroup = true});
  Process busy = box.start("while :; do :; done");
  box.sandbox().pause();
  const auto before = box.sandbox().stats();
  EXPECT_TRUE(before.paused);
  for (int i = 0; i < 1000; ++i) box.files().write("/home/user/file", "x");
  // That of PID 1, which is not frozen, counts too.
  EXPECT_LT(*box.sandbox().stats().cpu_user - *before.cpu_user, std::chrono::milliseconds(20));
  box.sandbox().resume();
  const auto later = *before.cpu_user + std::chrono::milliseconds(100);
  EXPECT_TRUE(becomes_true([&] { return box.sandbox().stats().cpu_user > later; }));
}

TEST(Limits, CommandInAFrozenSandboxIsRefused) {
  Box box = box_with({.own_cgroup = true});
  box.sandbox().pause();
  EXPECT_THAT([&] { box.out("true"); }, FailsWith(EBUSY));
  box.sandbox().resume();
  EXPECT_EQ(box.out("echo again"), "again\n");
}

TEST(Limits, FrozenCommandCanBeKilled) {
  Box box = box_with({.own_cgroup = true});
  Process process = box.start("exec sleep 1000");
  box.sandbox().pause();
  process.kill();
  EXPECT_EQ(process.wait(), Outcome(Signaled{.signal = SIGKILL}));
}

TEST(Limits, FrozenSandboxIsDestroyed) {
  Box box = box_with({.own_cgroup = true});
  box.start("exec sleep 1000").detach();
  box.sandbox().pause();
  box.sandbox().destroy();
}

// The clock of a time to live is short here and long below, so that nothing depends on being fast.
TEST(Limits, TimeToLivePausesAndResumingBeginsItAnew) {
  test::require_cgroup_controller("memory");
  Box box(SandboxOptions{.ttl = std::chrono::milliseconds(50), .ttl_action = TtlAction::Pause});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(becomes_true([&] { return box.sandbox().info().state == SandboxState::Paused; }));
    EXPECT_EQ(box.sandbox().info().ends, std::nullopt);
    box.sandbox().resume();
  }
  box.sandbox().set_ttl(std::chrono::hours(1));
  EXPECT_TRUE(becomes_true([&] {
    box.sandbox().resume();
    return box.sandbox().info().state == SandboxState::Running;
  }));
  EXPECT_NE(box.sandbox().info().ends, std::nullopt);
  EXPECT_EQ(box.out("echo again"), "again\n");
}

TEST(Limits, TimeToLiveIsNotRenewedBeforeItIsOver) {
  test::require_cgroup_controller("memory");
  Box box(SandboxOptions{.ttl = std::chrono::hours(1), .ttl_action = TtlAction::Pause});
  const auto ends = box.sandbox().info().ends;
  box.sandbox().pause();
  box.sandbox().resume();
  EXPECT_LT(*box.sandbox().info().ends - *ends, std::chrono::seconds(30));
}

TEST(Limits, StatsCountWhatTheSandboxUses) {
  const Box box = box_with({.memory_bytes = 64 * kMiB, .pids = 20});
  box.start("exec sleep 1000").detach();
  const SandboxStats stats = box.sandbox().stats();
  EXPECT_EQ(stats.pids, 1U);
  EXPECT_EQ(stats.pids_limit, 20U);
  EXPECT_EQ(stats.memory_limit_bytes, 64U * kMiB);
  EXPECT_THAT(stats.memory_bytes.value_or(0), AllOf(Ge(100'000U), Le(16U * kMiB)));
}

TEST(Limits, MoreThanTheCgroupsAroundAllowIsRefused) {
  test::require_cgroup_controller("memory");
  const std::string own = own_path();
  const std::string base = "/sys/fs/cgroup" + own.substr(0, own.rfind('/')) + "/sandbox";
  { const Box first(SandboxOptions{.limits = {.pids = 10}}); }
  write_kernel_file(AT_FDCWD, (base + "/memory.max").c_str(), "134217728");
  try {
    Box(SandboxOptions{.limits = {.memory_bytes = 256 * kMiB}});
    ADD_FAILURE() << "a limit that strikes elsewhere was accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "limit(\"memory 268435456\"): Invalid argument");
    EXPECT_EQ(error.hint(), "the cgroups around allow only 134217728 bytes");
  }
  write_kernel_file(AT_FDCWD, (base + "/memory.max").c_str(), "max");
}

TEST(Limits, DiskStrikesAtItsNumber) {
  test::require_user_xattrs_on_tmpfs();
  const Box box(SandboxOptions{.limits = {.disk_bytes = 16 * kMiB}});
  const CommandResult result = box.sh("cat /dev/zero > ~/file; stat -c %s ~/file; exit 3");
  const auto end = end_of<DiskLimit>(result);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_THAT(std::stol(result.stdout_text), AllOf(Ge(15 * kMiB), Le(16 * kMiB)));
}

TEST(Limits, DiskIsFullWhenItsInodesAre) {
  test::require_user_xattrs_on_tmpfs();
  const Box box(SandboxOptions{.limits = {.disk_bytes = 4 * kMiB}});
  const CommandResult result = box.sh("i=0; while : > ~/f$i; do i=$((i+1)); done; exit 3");
  EXPECT_EQ(end_of<DiskLimit>(result).limit_bytes, 4U * kMiB);
}

TEST(Limits, DiskFullMeansNothingWhenTheCommandSucceeds) {
  test::require_user_xattrs_on_tmpfs();
  const Box box(SandboxOptions{.limits = {.disk_bytes = 4 * kMiB}});
  EXPECT_EQ(box.sh("cat /dev/zero > ~/file; exit 0").outcome, Outcome(Exited{0}));
}

TEST(Limits, DiskOfADirectoryIsRefused) {
  EXPECT_THAT(
      [] { Box(SandboxOptions{.upper = Upper::Directory, .limits = {.disk_bytes = 16 * kMiB}}); },
      FailsWith(EOPNOTSUPP, HasSubstr("disk")));
}

// It can only last longer than the rate says, however slow the machine is. Past the page cache,
// because fsync(2) waits for nothing in a sandbox.
TEST(Limits, DiskIsWrittenNoFasterThanAskedFor) {
  const Box box = box_with({.disk_write_rate = 4 * kMiB});
  const CommandResult result =
      box.sh("dd if=/dev/zero of=file bs=1M count=8 oflag=direct 2> /dev/null");
  EXPECT_EQ(result.outcome, Outcome(Exited{0})) << result.stderr_text;
  EXPECT_GE(result.usage.wall, std::chrono::milliseconds(1500));
  EXPECT_GE(box.sandbox().stats().disk_written_bytes.value_or(0), 8U * kMiB);
}

TEST(Limits, RateOfTheDiskIsRefusedWhereChangesAreInMemory) {
  EXPECT_THAT(
      [] { Box(SandboxOptions{.upper = Upper::Memory, .limits = {.disk_read_rate = kMiB}}); },
      FailsWith(EOPNOTSUPP, HasSubstr("disk rate")));
}

TEST(Limits, OpenFilesAreLimited) {
  const Box box(SandboxOptions{.limits = {.open_files = 32}});
  EXPECT_EQ(box.out("ulimit -n; ulimit -Hn"), "32\n32\n");
}

TEST(Limits, FileSizeIsLimited) {
  const Box box(SandboxOptions{.limits = {.file_bytes = 8192}});
  EXPECT_EQ(box.sh("exec cat /dev/zero > ~/file").outcome, Outcome(Signaled{.signal = SIGXFSZ}));
  EXPECT_EQ(box.out("stat -c %s ~/file"), "8192\n");
}

TEST(Limits, MachineWithoutControllersSaysHowToGetThem) {
  Box box;
  if (OwnCgroup::parse(read_kernel_file(AT_FDCWD, "/proc/self/cgroup")).version_1 == false) {
    GTEST_SKIP() << "needs a machine with cgroup version 1";
  }
  try {
    box.runtime().create({.limits = {.memory_bytes = 64 * kMiB}});
    FAIL() << "a limit that nobody enforces was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), EOPNOTSUPP);
    EXPECT_THAT(error.hint(), HasSubstr("systemd.unified_cgroup_hierarchy=1"));
  }
}

}  // namespace
}  // namespace sandbox
