#include "sandbox/sandbox.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/process_snapshot.h"

namespace sandbox {
namespace {

using test::await_output;
using test::becomes_true;
using test::Box;
using test::FailsWith;
using test::LeakCheck;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

bool is_over(int pidfd) {
  pollfd end{pidfd, POLLIN, 0};
  return ::poll(&end, 1, 0) == 1;
}

std::string effective(const Sandbox& sandbox, const std::string& layer) {
  const std::vector<IsolationLayer> layers = sandbox.isolation();
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const IsolationLayer& each) { return each.name == layer; });
  return found == layers.end() ? "no such layer" : found->effective;
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::ifstream file("/proc/" + number + "/task/" + number + "/children");
  return {std::istream_iterator<pid_t>(file), {}};
}

bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

// --- The end.

TEST(Sandbox, DestroyedTwiceIsFine) {
  Box box;
  box.sandbox().destroy();
  box.sandbox().destroy();
}

TEST(Sandbox, CommandsAfterTheEndAreEpipe) {
  Box box;
  Commands commands = box.commands();
  box.sandbox().destroy();
  EXPECT_THAT([&] { commands.start(Command{.argv = {"true"}}); }, FailsWith(EPIPE));
}

TEST(Sandbox, FilesAfterTheEndAreEpipe) {
  Box box;
  const Files files = box.files();
  box.sandbox().destroy();
  EXPECT_THAT([&] { files.read("/etc/passwd"); }, FailsWith(EPIPE));
}

TEST(Sandbox, CommandThatOutlivesItIsToldSo) {
  Box box;
  Process process = box.start("echo ready; exec sleep 1000");
  await_output(process, "ready");
  box.sandbox().destroy();
  EXPECT_EQ(process.wait(), Outcome(SandboxGone{}));
  EXPECT_FALSE(process.kill());
}

TEST(Sandbox, StreamingEndsWithIt) {
  Box box;
  Process process = box.start("echo before; exec sleep 1000");
  std::string text;
  process.stream([&](Stream, std::string_view chunk) {
    text += chunk;
    box.sandbox().destroy();
  });
  EXPECT_EQ(text, "before\n");
  EXPECT_EQ(process.wait(), Outcome(SandboxGone{}));
}

TEST(Sandbox, KillOfPid1FromOutsideIsItsEnd) {
  Box box;
  Process process = box.start("exec sleep 1000");
  ASSERT_FALSE(is_over(box.sandbox().pidfd()));
  ASSERT_EQ(::kill(box.sandbox().host_pid(), SIGKILL), 0);
  EXPECT_TRUE(becomes_true([&] { return is_over(box.sandbox().pidfd()); }));
  EXPECT_EQ(process.wait(), Outcome(SandboxGone{}));
  EXPECT_THAT([&] { box.sh("true"); }, FailsWith(EPIPE));
  box.sandbox().destroy();
}

TEST(Sandbox, EveryProcessIsGoneWhenDestroyReturns) {
  Box box;
  const Process process = box.start("sleep 1000 & setsid sleep 1000 & echo ready; wait");
  await_output(process, "ready");
  std::vector<pid_t> pids = children_of(box.sandbox().host_pid());
  for (const pid_t child : children_of(pids.at(0))) pids.push_back(child);
  ASSERT_THAT(pids, SizeIs(3));
  box.sandbox().destroy();
  for (const pid_t pid : pids) EXPECT_FALSE(exists(pid));
}

TEST(Sandbox, NothingIsLeftBehind) {
  const Box first;  // What stays for the next sandbox, such as the skeleton, is there already.
  const LeakCheck nothing_left({first.data_directory()});
  Box box;
  box.sh("sleep 1000 & mkdir -p deep/er; head -c 1M /dev/zero > deep/er/file; chmod 000 deep");
}

TEST(Sandbox, AssignmentDestroysTheOldOne) {
  Box box;
  const pid_t first = box.sandbox().host_pid();
  Process process = box.start("exec sleep 1000");
  box.sandbox() = box.runtime().create();
  EXPECT_NE(box.sandbox().host_pid(), first);
  EXPECT_EQ(process.wait(), Outcome(SandboxGone{}));
  EXPECT_EQ(box.out("echo fine"), "fine\n");
}

TEST(Sandbox, MovedOneIsTheSame) {
  Box box;
  box.files().write("/home/user/file", "content");
  const Sandbox moved = std::move(box.sandbox());
  EXPECT_EQ(moved.files().read("/home/user/file"), "content");
}

// --- What it is.

TEST(Sandbox, HasItsOwnNamespaces) {
  const Box box;
  for (const char* kind : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    const std::string path = std::string("/proc/self/ns/") + kind;
    const std::string outside = std::filesystem::read_symlink(path);
    EXPECT_NE(box.out("readlink " + path), outside + "\n") << kind;
  }
}

TEST(Sandbox, CommandsHaveNoCapabilitiesAndAFilter) {
  const Box box;
  const std::string status = box.out("cat /proc/self/status");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000000000\n"));
  }
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2\n"));
}

TEST(Sandbox, SeesItsOwnProcessesOnly) {
  const Box box;
  Process shell = box.start("cd /proc; echo [0-9]*");  // Of the shell itself: nothing is forked.
  std::string seen;
  shell.stream([&seen](Stream, std::string_view chunk) { seen += chunk; });
  EXPECT_EQ(seen, std::to_string(shell.pid()) + "\n");
}

TEST(Sandbox, HostNameTellsNothing) {
  const Box box;
  EXPECT_EQ(box.out("cat /proc/sys/kernel/hostname; cat /etc/hostname"), "sandbox\nsandbox\n");
}

TEST(Sandbox, UserIsThe1000thAtHome) {
  const Box box;
  EXPECT_EQ(box.out("id -un; id -u; id -g; echo $HOME; stat -c %U $HOME"),
            "user\n1000\n1000\n/home/user\nuser\n");
}

TEST(Sandbox, CommandsAndFilesSeeTheSame) {
  const Box box;
  box.files().write("/home/user/in", "from the host");
  EXPECT_EQ(box.out("cat in; printf 'from inside' > out"), "from the host");
  EXPECT_EQ(box.files().read("/home/user/out"), "from inside");
}

TEST(Sandbox, TwoOfOneRuntimeShareNothing) {
  Box box;
  const Sandbox other = box.runtime().create();
  box.files().write("/tmp/mark", "x");
  const Process process = box.start("exec sleep 1000");
  EXPECT_FALSE(other.files().exists("/tmp/mark"));
  const CommandResult list =
      other.commands().run(Command{.argv = {"/bin/sh", "-c", "cat /proc/[0-9]*/comm"}});
  EXPECT_THAT(list.stdout_text, Not(HasSubstr("sleep")));
}

TEST(Sandbox, UsrCannotBeWritten) {
  const Box box;
  EXPECT_THAT(box.sh("touch /usr/bin/x").stderr_text, HasSubstr("Read-only"));
}

TEST(Sandbox, DirectoriesOfEverydayUseCanBeWritten) {
  const Box box;
  box.out("for d in ~ /tmp /var/tmp /dev/shm; do touch $d/x; done; echo x > /dev/null");
}

TEST(Sandbox, SysctlsCannotBeWritten) {
  const Box box(SandboxOptions{.user = "root"});
  EXPECT_THAT(box.sh("echo x > /proc/sys/kernel/core_pattern").stderr_text, HasSubstr("Read-only"));
  EXPECT_THAT(box.sh("echo x > /proc/sys/kernel/domainname").stderr_text, HasSubstr("Read-only"));
  EXPECT_EQ(box.out("cat /proc/sys/kernel/ostype"), "Linux\n");
}

TEST(Sandbox, NestedUserNamespaceIsRefusedInEveryProfile) {
  for (const Profile profile : {Profile::Default, Profile::Strict, Profile::Dev}) {
    const Box box(SandboxOptions{.profile = profile});
    EXPECT_NE(box.sh("unshare --user true").outcome, Outcome(Exited{0}));
    EXPECT_NE(box.sh("unshare --mount true").outcome, Outcome(Exited{0}));
    EXPECT_EQ(box.out("echo fine"), "fine\n");
  }
}

// --- What it tells.

TEST(Sandbox, IsolationNamesEveryLayer) {
  const Box box;
  std::set<std::string> names;
  for (const IsolationLayer& layer : box.sandbox().isolation()) names.insert(layer.name);
  for (const char* name :
       {"user namespace", "mount namespace", "pid namespace", "network namespace", "ipc namespace",
        "uts namespace", "cgroup namespace", "ids", "root", "changes", "capabilities",
        "no_new_privs", "seccomp", "landlock", "cgroup limits"}) {
    EXPECT_THAT(names, Contains(name));
  }
}

TEST(Sandbox, IsolationTellsWhatHolds) {
  const Box box(SandboxOptions{
      .network = Network::Host, .profile = Profile::Strict, .upper = Upper::Directory});
  EXPECT_EQ(effective(box.sandbox(), "network namespace"), "off");
  EXPECT_EQ(effective(box.sandbox(), "seccomp"), "profile strict");
  EXPECT_EQ(effective(box.sandbox(), "changes"), "directory");
  EXPECT_EQ(effective(box.sandbox(), "ids"), "single");
}

TEST(Sandbox, SetupStepsAreNamedAndInOrder) {
  const Box box;
  std::vector<std::string> names;
  for (const SetupStep& step : box.sandbox().setup_steps()) names.push_back(step.name);
  const auto at = [&](const char* name) { return std::find(names.begin(), names.end(), name); };
  for (const char* name : {"ids", "root", "pivot_root", "capabilities", "seccomp"}) {
    EXPECT_THAT(names, Contains(name));
  }
  EXPECT_LT(at("pivot_root"), at("capabilities"));
  EXPECT_LT(at("no_new_privs"), at("seccomp"));
}

TEST(Sandbox, DescriptorOfPid1IsThatOfHostPid) {
  const Box box;
  const std::string info = "/proc/self/fdinfo/" + std::to_string(box.sandbox().pidfd());
  std::ifstream lines(info);
  const std::string text{std::istreambuf_iterator<char>(lines), {}};
  EXPECT_THAT(text, HasSubstr("Pid:\t" + std::to_string(box.sandbox().host_pid()) + "\n"));
}

}  // namespace
}  // namespace sandbox
