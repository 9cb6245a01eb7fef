// On the cgroup above that of the tests, which is delegated to them where they run in the microVM.
#include "isolation/cgroup.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "isolation/sandbox_cgroup.h"
#include "runtime/base/kernel_file.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::FailsWith;
using ::testing::HasSubstr;

std::string path_above_ours() {
  test::require_cgroup_controller("memory");
  const std::string self = read_kernel_file(AT_FDCWD, "/proc/self/cgroup");
  return "/sys/fs/cgroup" + self.substr(3, self.rfind('/') - 3);
}

// A new cgroup with a child for each test, and a process in the child.
class CgroupTest {
 public:
  CgroupTest() : above_(Cgroup::open(path_above_ours())), group_(above_.make("cgroup-test")) {
    child_ = ::fork();
    if (child_ != 0) return;
    for (;;) ::pause();
  }
  CgroupTest(const CgroupTest&) = delete;
  CgroupTest& operator=(const CgroupTest&) = delete;
  ~CgroupTest() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    remove_cgroup(above_, "cgroup-test");
  }
  const Cgroup& group() const { return group_; }
  const Cgroup& above() const { return above_; }
  pid_t child() const { return child_; }

 private:
  Cgroup above_;
  Cgroup group_;
  pid_t child_ = -1;
};

std::string state_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/wchan";
  return read_kernel_file(AT_FDCWD, path.c_str());
}

TEST(Cgroup, OrdinaryDirectoryIsNone) {
  const test::TempDir dir;
  EXPECT_THAT([&] { Cgroup::open(dir.path()); }, FailsWith(EOPNOTSUPP));
}

TEST(Cgroup, ProcessThatIsMovedIsThere) {
  const CgroupTest test;
  test.group().add(test.child());
  EXPECT_EQ(test.group().read("cgroup.procs"), std::to_string(test.child()) + "\n");
  EXPECT_EQ(test.group().counter("cgroup.events", "populated"), 1U);
}

TEST(Cgroup, FrozenProcessesStandStillAndGoOn) {
  const CgroupTest test;
  test.group().add(test.child());
  test.group().set_frozen(true);
  EXPECT_EQ(test.group().counter("cgroup.events", "frozen"), 1U);
  test.group().set_frozen(false);
  EXPECT_EQ(test.group().counter("cgroup.events", "frozen"), 0U);
  EXPECT_NE(state_of(test.child()), "");
}

TEST(Cgroup, KillReachesFrozenProcesses) {
  const CgroupTest test;
  test.group().add(test.child());
  test.group().set_frozen(true);
  test.group().kill();
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(test.child()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(info.si_status, SIGKILL);
}

TEST(Cgroup, WithProcessesInItGivesNoControllers) {
  const CgroupTest test;
  test.above().enable("memory");
  test.group().add(test.child());
  EXPECT_THAT([&] { test.group().enable("memory"); }, FailsWith(EBUSY));
}

TEST(Cgroup, ThatDoesNotExistIsRemovedAlready) {
  const CgroupTest test;
  remove_cgroup(test.above(), "no-such-cgroup");
}

TEST(Cgroup, OfASandboxIsLockedWhileSomebodyHoldsIt) {
  const CgroupTest test;
  SandboxCgroup cgroup(test.group(), "one", {});
  collect_dead_cgroups(test.group());
  EXPECT_TRUE(test.group().has("sbx-one"));
  cgroup.remove();
  EXPECT_FALSE(test.group().has("sbx-one"));
}

TEST(Cgroup, OfASandboxThatNobodyHoldsIsCollected) {
  const CgroupTest test;
  SandboxCgroup(test.group(), "two", {}).release();
  EXPECT_TRUE(test.group().has("sbx-two"));
  collect_dead_cgroups(test.group());
  EXPECT_FALSE(test.group().has("sbx-two"));
}

TEST(Cgroup, OfASandboxIsFoundAgainByItsPath) {
  const CgroupTest test;
  SandboxCgroup made(test.group(), "three", {});
  const SandboxCgroup found = SandboxCgroup::open(made.path());
  made.set_frozen(true);
  EXPECT_TRUE(found.frozen());
}

TEST(Cgroup, LimitThatTheKernelRefusesLeavesNothing) {
  const CgroupTest test;
  EXPECT_THAT([&] { SandboxCgroup(test.group(), "four", {.cpu_weight = 0}); },
              FailsWith(ENOENT, HasSubstr("cpu.weight")));
  EXPECT_FALSE(test.group().has("sbx-four"));
}

}  // namespace
}  // namespace sandbox
