// The process that makes file calls where this one may not. That all operations do the same through
// it is what the suites with kAllRoots show.

#include "fs/file_agent.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/base/syscalls.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;
using Kind = FileCall::Kind;

class FileAgentTest : public ::testing::Test {
 protected:
  const Files& files() const { return root_.files(); }

  FileAnswer ask(const FileCall& call) const {
    return root_.agent()->perform(root_.owner().uid, root_.owner().gid, call);
  }
  FileAnswer open(const char* path, uint64_t resolve) const {
    return ask(
        {.kind = Kind::Open, .fd = root_.fd(), .name = path, .flags = O_PATH, .resolve = resolve});
  }
  // Of the process that serves now; files() has started it.
  pid_t agent_pid() const { return root_.children().back(); }
  std::string status_of_agent() const {
    std::ostringstream text;
    text << std::ifstream("/proc/" + std::to_string(agent_pid()) + "/status").rdbuf();
    return text.str();
  }

  TestRoot root_{RootKind::OverlayByAgent};
};

TEST_F(FileAgentTest, HasOnlyTheCapabilitiesOverFiles) {
  files().write("a", "x");
  const std::string status = status_of_agent();
  EXPECT_THAT(status, HasSubstr("CapPrm:\t00000000000000cb\n"));  // Bits 0, 1, 3, 6 and 7.
  EXPECT_THAT(status, HasSubstr("CapEff:\t00000000000000cb\n"));
  for (const char* empty : {"CapInh", "CapBnd", "CapAmb"}) {
    EXPECT_THAT(status, HasSubstr(std::string(empty) + ":\t0000000000000000\n"));
  }
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
}

// Files of a process that may not be traced belong to root: PR_SET_DUMPABLE in prctl(2).
TEST_F(FileAgentTest, CannotBeTraced) {
  files().write("a", "x");
  struct stat status = {};
  const std::string path = "/proc/" + std::to_string(agent_pid()) + "/mem";
  check(::stat(path.c_str(), &status), "stat", path);
  EXPECT_EQ(status.st_uid, 0U);
  check(::stat("/proc/self/mem", &status), "stat", path);
  EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST_F(FileAgentTest, ReachesNothingButWhatItIsGiven) {
  EXPECT_TRUE(open("/home/user", RESOLVE_IN_ROOT).fd);
  EXPECT_TRUE(open("home/user", RESOLVE_BENEATH).fd);
  EXPECT_EQ(open("/etc/passwd", 0).error, EINVAL);
  EXPECT_EQ(open("home/user", 0).error, EINVAL);
  EXPECT_EQ(open("/etc/passwd", RESOLVE_NO_SYMLINKS).error, EINVAL);
  for (const char* name : {"/tmp/x", "../x", ""}) {
    const int dir = root_.fd();
    EXPECT_EQ(ask({.kind = Kind::MakeDirectory, .fd = dir, .name = name}).error, EINVAL) << name;
    EXPECT_EQ(ask({.kind = Kind::Unlink, .fd = dir, .name = name}).error, EINVAL) << name;
    EXPECT_EQ(ask({.kind = Kind::Symlink, .fd = dir, .name = name}).error, EINVAL) << name;
    const FileCall rename = {
        .kind = Kind::Rename, .fd = dir, .other_fd = dir, .name = "home", .other_name = name};
    EXPECT_EQ(ask(rename).error, EINVAL) << name;
  }
}

TEST_F(FileAgentTest, KilledOneIsReplaced) {
  files().write("a", "x");
  const pid_t first = agent_pid();
  check(::kill(first, SIGKILL), "kill");
  siginfo_t ended;
  check(::waitid(P_PID, static_cast<id_t>(first), &ended, WEXITED | WNOWAIT), "waitid");
  EXPECT_EQ(files().read("a"), "x");
  EXPECT_NE(agent_pid(), first);
}

TEST_F(FileAgentTest, EndsWithTheSandbox) {
  files().write("a", "x");
  root_.context().close();
  siginfo_t ended;
  check(::waitid(P_PID, static_cast<id_t>(agent_pid()), &ended, WEXITED | WNOWAIT), "waitid");
  EXPECT_EQ(ended.si_status, 0);
  EXPECT_THAT([&] { open("/", RESOLVE_IN_ROOT); }, FailsWith(EPIPE));
}

TEST_F(FileAgentTest, ReadsFilesOfProcToTheirEnd) {
  std::ostringstream expected;
  expected << std::ifstream("/proc/version").rdbuf();
  ASSERT_NE(expected.str(), "");
  EXPECT_EQ(files().read("/proc/version"), expected.str());
  EXPECT_EQ(files().read("/proc/version", {.offset = 6, .length = 7}), expected.str().substr(6, 7));
  files().symlink("/proc/version", "link");
  EXPECT_EQ(files().read("link"), expected.str());
}

TEST_F(FileAgentTest, OnlyReadsInProc) {
  EXPECT_THAT([&] { files().write("/proc/version", "x"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().append("/proc/version", "x"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().chmod("/proc/version", 0777); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().list("/proc"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().read("/proc"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().read("/proc/self/exe"); }, FailsWith(ELOOP));
  EXPECT_THAT([&] { files().read("/foreign/secret"); }, FailsWith(EXDEV));
}

TEST_F(FileAgentTest, WatchesADirectoryThatIsClosedToItsOwner) {
  files().make_dir("closed");
  files().chmod("closed", 0);
  Watcher watcher = files().watch("closed");
  files().write("closed/a", "x");
  const std::optional<WatchEvent> event = watcher.next(std::chrono::seconds(10));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->name, "a");
}

}  // namespace
}  // namespace sandbox::test
