// What the host may not do with files of a sandbox: it is done by the file agent. Each claim has
// its control, that a process inside with the user's rights really cannot do it.

#include "sandbox/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::Box;
using test::FailsWith;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

SandboxOptions range_of_ids() {
  test::require_subordinate_ids();
  if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
  return {.ids = Ids::Range};
}

// A sandbox with several ids, in which root keeps things from `user`.
class FilesOfOthers : public ::testing::Test {
 protected:
  FilesOfOthers() {
    const CommandResult made = box_.sh(
        "umask 077; mkdir -p /root/dir/deeper && echo secret > /root/dir/deeper/file &&"
        "ln -s dir/deeper/file /root/link && mkdir /root/closed && echo 1 > /root/closed/file &&"
        "chmod 0 /root/closed/file /root/closed /root",
        {.cwd = "/", .user = "root"});
    EXPECT_EQ(made.outcome, Outcome(Exited{0})) << made.stderr_text;
    EXPECT_NE(box_.sh("ls /root || cat /root/link").outcome, Outcome(Exited{0}));
  }

  Files files() const { return box_.files(); }
  std::string as_root(const std::string& script) const {
    return box_.out("chmod 700 /root; " + script, {.cwd = "/", .user = "root"});
  }

  Box box_{range_of_ids()};
};

TEST_F(FilesOfOthers, AreReadAndDescribed) {
  EXPECT_EQ(files().read("/root/link"), "secret\n");
  EXPECT_EQ(files().read("/root/closed/file"), "1\n");
  const EntryInfo entry = files().stat("/root/link").value();
  EXPECT_EQ(entry.owner, "root");
  EXPECT_EQ(entry.symlink_target, "/root/dir/deeper/file");
  EXPECT_EQ(files().stat("/root/closed/file")->permissions, "----------");
  EXPECT_TRUE(files().exists("/root/dir/deeper"));
  EXPECT_FALSE(files().exists("/root/nothing"));
  EXPECT_EQ(files().disk_usage("/root").files, 3U);
}

TEST_F(FilesOfOthers, AreListed) {
  std::vector<std::string> paths;
  for (const EntryInfo& entry : files().list("/root", {.depth = 9})) {
    EXPECT_EQ(entry.list_error, 0) << entry.path;
    paths.push_back(entry.path);
  }
  EXPECT_THAT(paths, ElementsAre("/root/closed", "/root/closed/file", "/root/dir",
                                 "/root/dir/deeper", "/root/dir/deeper/file", "/root/link"));
}

// As with a file of his own: what is written is the user's.
TEST_F(FilesOfOthers, AreWrittenAndThenTheUsers) {
  files().write("/root/closed/file", "2", {.metadata = {{"k", "v"}}});
  files().append("/root/closed/file", "3");
  as_root("chmod 711 /root /root/closed");
  EXPECT_EQ(box_.out("stat -c '%U %a' /root/closed/file"), "user 0\n");
  EXPECT_EQ(box_.out("chmod 600 /root/closed/file; cat /root/closed/file"), "23");
  EXPECT_EQ(files().stat("/root/closed/file")->metadata.at("k"), "v");
  files().write("/root/new/file", "4", {.mode = WriteMode::Atomic});
  EXPECT_EQ(as_root("cat /root/new/file; stat -c '%U %a' /root/new /root/new/file"),
            "4user 755\nuser 644\n");
}

TEST_F(FilesOfOthers, AreChanged) {
  files().chmod("/root/closed", 0711);
  files().chown("/root/closed/file", "user");
  files().touch("/root/touched");
  files().symlink("dir", "/root/second");
  files().rename("/root/dir/deeper/file", "/root/closed/moved");
  EXPECT_EQ(as_root("cd /root && stat -c '%n %U %a' closed closed/* touched && readlink second"),
            "closed root 711\nclosed/file user 0\nclosed/moved root 600\ntouched user 644\ndir\n");
}

TEST_F(FilesOfOthers, AreCopiedUploadedAndDownloaded) {
  const TempDir host;
  EXPECT_EQ(files().copy("/root", "/home/user/copy").files, 2U);
  EXPECT_EQ(files().download("/root/dir", host.path("down")).files, 1U);
  EXPECT_EQ(host.read("down/deeper/file"), "secret\n");
  EXPECT_EQ(files().upload(host.path("down"), "/root/closed/up").files, 1U);
  as_root("chmod 711 /root /root/closed");
  EXPECT_EQ(box_.out("cat /root/closed/up/deeper/file"), "secret\n");
}

TEST_F(FilesOfOthers, AreRemoved) {
  files().remove("/root/closed");
  files().remove("/root/dir");
  EXPECT_EQ(as_root("ls -A /root | grep -v '^\\.'"), "link\n");
}

TEST_F(FilesOfOthers, AreWatched) {
  Watcher watcher = files().watch("/root", {.recursive = true});
  as_root("chmod 700 /root/closed; echo > /root/closed/new");
  bool seen = false;
  while (const auto event = watcher.next(std::chrono::seconds(seen ? 0 : 10))) {
    seen = seen || (event->type == WatchEventType::Create && event->name == "closed/new");
  }
  EXPECT_TRUE(seen);
}

TEST_F(FilesOfOthers, AreMadeInTheirName) {
  files().write("mine", "x", {.user = "root"});
  EXPECT_EQ(as_root("stat -c '%U %G %a' /root/mine"), "root root 644\n");
  EXPECT_EQ(files().read("mine", {.user = "root"}), "x");
  EXPECT_TRUE(files().make_dir("a/b", "root"));
  EXPECT_EQ(as_root("stat -c %U /root/a/b"), "root\n");
}

// A sandbox with one id has no others, but what its user closed to himself.
TEST(FilesClosedToTheirOwner, AreOpenToTheHost) {
  const Box box(SandboxOptions{.ids = Ids::Single});
  box.out("mkdir a && echo x > a/file && chmod 0 a/file a");
  EXPECT_NE(box.sh("cat a/file").outcome, Outcome(Exited{0}));
  EXPECT_EQ(box.files().read("a/file"), "x\n");
  box.files().write("a/file", "y");
  EXPECT_EQ(box.files().list("~", {.depth = 2}).at(1).path, "/home/user/a/file");
  EXPECT_EQ(box.out("chmod 700 a; chmod 600 a/file; cat a/file"), "y");
}

// Its owner has no id inside, so no root inside has power over it.
TEST(FilesClosedToTheirOwner, OfTheHostStayClosed) {
  test::require_root();
  const TempDir host = TempDir::with({{"secret", "x"}});
  std::filesystem::permissions(host.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(host.path("secret"), std::filesystem::perms(0600));
  const Box box(SandboxOptions{.mounts = {{host.path(), "/work", Access::ReadWrite}}});
  EXPECT_THAT([&] { box.files().read("/work/secret"); }, FailsWith(EACCES));
  EXPECT_THAT([&] { box.files().write("/work/secret", "y"); }, FailsWith(EACCES));
  EXPECT_THAT([&] { box.files().remove("/work/secret"); }, FailsWith(EACCES));
  EXPECT_EQ(host.read("secret"), "x");
}

TEST(FilesOfProc, AreReadAsInside) {
  const Box box;
  EXPECT_EQ(box.files().read("/proc/sys/kernel/hostname"), "sandbox\n");
  for (const char* path :
       {"/proc/version", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/shmmax",
        "/proc/sys/user/max_user_namespaces", "/proc/filesystems"}) {
    EXPECT_EQ(box.files().read(path), box.out(std::string("cat ") + path)) << path;
  }
  EXPECT_THAT(box.files().read("/proc/meminfo"), HasSubstr("MemTotal:"));
}

TEST(FilesOfProc, OfACommandTellOfIt) {
  const Box box;
  const Process sleeper = box.start("exec sleep 1000");
  const std::string pid = std::to_string(sleeper.pid());
  EXPECT_TRUE(
      test::becomes_true([&] { return box.files().read("/proc/" + pid + "/comm") == "sleep\n"; }));
  EXPECT_THAT(box.files().read("/proc/" + pid + "/status"), HasSubstr("Uid:\t1000\t1000"));
  EXPECT_EQ(box.files().read("/proc/" + pid + "/cgroup"), box.out("cat /proc/" + pid + "/cgroup"));
}

TEST(FilesOfProc, ThatAreMaskedOrOfPid1StayHidden) {
  const Box box;
  EXPECT_THAT([&] { box.files().read("/proc/keys"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { box.files().read("/proc/kallsyms"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { box.files().read("/proc/kmsg"); }, FailsWith(EACCES));
  EXPECT_THAT([&] { box.files().read("/proc/1/environ"); }, FailsWith(ENOENT));
  EXPECT_THAT([&] { box.files().read("/proc/self/status"); }, FailsWith(ENOENT));
  EXPECT_THAT([&] { box.files().write("/proc/sys/kernel/hostname", "x"); }, FailsWith(EXDEV));
}

TEST(FileAgentOfASandbox, IsNotSeenInside) {
  const Box box;
  box.files().write("a", "x");
  box.files().chmod("a", 0);
  const std::string count = "set -- /proc/[0-9]*; echo $#";  // No process but the shell itself.
  const std::string before = box.out(count);
  ASSERT_EQ(box.files().read("a"), "x");
  EXPECT_EQ(box.out(count), before);
  EXPECT_FALSE(box.runs("sandbox-files"));
}

TEST(FileAgentOfASandbox, EndsWithIt) {
  Box box;
  box.files().read("/proc/version");
  const test::LeakCheck nothing_left;
  {
    Sandbox second = box.runtime().create();
    EXPECT_NE(second.files().read("/proc/version"), "");
    second.destroy();
  }
}

TEST(FileAgentOfASandbox, WorksAfterItsRuntimeEnded) {
  test::require_user_namespaces();
  std::optional<Runtime> runtime(std::in_place);
  const Sandbox box = runtime->create();
  runtime.reset();
  EXPECT_NE(box.files().read("/proc/version"), "");
}

TEST(FileAgentOfASandbox, WorksForWhoAttached) {
  test::require_user_namespaces();
  const std::string id = [] {
    Runtime creator;
    Sandbox made = creator.create({.lifetime = Lifetime::Detached});
    made.files().write("a", "x");
    made.files().chmod("a", 0);
    return made.id();
  }();
  Runtime runtime;
  Sandbox box = runtime.attach(id);
  EXPECT_EQ(box.files().read("a"), "x");
  EXPECT_EQ(box.files().read("/proc/sys/kernel/hostname"), "sandbox\n");
  box.destroy();
}

}  // namespace
}  // namespace sandbox
