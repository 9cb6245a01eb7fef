// Root file systems of a hostile author, and mounts of a hostile neighbour.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "sandbox/error.h"
#include "tests/attacks/attack_box.h"
#include "tests/attacks/host_probe.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

// A root that a hostile author made, reachable by the sandbox's user, and a file of the host.
struct Hostile {
  TempDir directory;
  Hostile() {
    ::chmod(directory.path().c_str(), 0755);
    directory.write("root/", "");
    directory.write("canary", "untouched");
    ::chmod(directory.path("root").c_str(), 0755);
  }
  void link(const std::string& name, const std::string& target) const {
    fs::create_directories(fs::path(directory.path("root/" + name)).parent_path());
    fs::create_symlink(target, directory.path("root/" + name));
  }
  SandboxOptions options() const {
    SandboxOptions options = AttackBox::options();
    options.template_name = "dir:" + directory.path("root");
    return options;
  }
  std::string canary() const { return directory.read("canary"); }
};

// M4, cases 15 and 16; CVE-2026-41579, CVE-2019-19921
TEST(TemplateAttack, SymlinksInPlaceOfMountPointsAreCovered) {
  AttackBox attack;
  Hostile hostile;
  for (const char* const name : {"proc", "dev", "sys", "run", "etc", "usr", "home"}) {
    hostile.link(name, hostile.directory.path());
  }
  const Sandbox box = attack.make(hostile.options());
  const CommandResult links = AttackBox::run_probe(box, {"links"});
  EXPECT_THAT(links.stdout_text, HasSubstr("/root -> /"));
  EXPECT_THAT(AttackBox::run_probe(box, {"kernel-memory"}).stdout_text, Not(HasSubstr("content")));
  EXPECT_EQ(AttackBox::run_probe(box, {"sysctls"}).stdout_text, "count 0\n");
  EXPECT_EQ(hostile.canary(), "untouched");
  EXPECT_EQ(std::distance(fs::directory_iterator(hostile.directory.path()), {}), 2);
}

TEST(TemplateAttack, FilesInPlaceOfMountPointsAreCovered) {
  AttackBox attack;
  const Hostile hostile;
  for (const char* const name : {"proc", "dev", "sys", "tmp", "etc"}) {
    hostile.directory.write(std::string("root/") + name, "a file");
  }
  EXPECT_EQ(attack.make(hostile.options()).commands().run(probe_command({"status"})).exit_code(),
            0);
}

// E-25
TEST(TemplateAttack, DevicesOfTheTemplateAreNotSeen) {
  AttackBox attack;
  Hostile hostile;
  hostile.link("dev/null", "/proc/sys/kernel/core_pattern");
  hostile.link("dev/pts/0", hostile.directory.path("canary"));
  hostile.directory.write("root/dev/console", "a file");
  const Sandbox box = attack.make(hostile.options());
  EXPECT_THAT(AttackBox::run_probe(box, {"kernel-memory"}).stdout_text, Not(HasSubstr("content")));
  EXPECT_THAT(
      to_results(AttackBox::run_probe(box, {"rewrite", "/dev/console", "/dev/pts/0"}).stdout_text),
      ::testing::UnorderedElementsAre(Pair("/dev/console", "ENOENT"),
                                      Pair("/dev/pts/0", "ENOENT")));
  EXPECT_EQ(hostile.canary(), "untouched");
}

// E-26
TEST(TemplateAttack, AccountFilesThatLeadOutAreReadInside) {
  AttackBox attack;
  Hostile hostile;
  for (const char* const name : {"etc/passwd", "etc/group", "etc/resolv.conf", "etc/hostname"}) {
    hostile.link(name, hostile.directory.path("canary"));
  }
  const Sandbox box = attack.make(hostile.options());
  EXPECT_EQ(AttackBox::run_probe(box, {"status"}).exit_code(), 0);
  EXPECT_THAT(box.files().read("/etc/passwd"), Not(HasSubstr("untouched")));
  EXPECT_EQ(hostile.canary(), "untouched");
}

TEST(TemplateAttack, FifoAsAccountFileIsAnErrorAndDoesNotHang) {
  AttackBox attack;
  const Hostile hostile;
  hostile.directory.write("root/etc/", "");
  check(::mkfifo(hostile.directory.path("root/etc/passwd").c_str(), 0644), "mkfifo");
  EXPECT_THAT([&] { attack.make(hostile.options()); }, FailsWith(EINVAL));
}

TEST(TemplateAttack, HugeAccountFileIsAnError) {
  AttackBox attack;
  const Hostile hostile;
  hostile.directory.write("root/etc/passwd", "");
  fs::resize_file(hostile.directory.path("root/etc/passwd"), 100 << 20);
  EXPECT_THAT([&] { attack.make(hostile.options()); }, FailsWith(EFBIG));
}

TEST(TemplateAttack, OddAccountsGiveNoOtherUser) {
  AttackBox attack;
  const Hostile hostile;
  hostile.directory.write("root/etc/passwd",
                          "user:x:-1:-1::/:/bin/sh\nuser:x:4294967296:0::/:/bin/sh\n"
                          "user:x:4294967295:0::/:\nroot:x:0x0:0::/:/bin/sh\n:x:0:0::/:\n"
                          "user:x:1000\n\n\x01\xff:x:0:0::/:/bin/sh\n");
  const Sandbox box = attack.make(hostile.options());
  EXPECT_THAT(AttackBox::run_probe(box, {"status"}).stdout_text, HasSubstr("Uid:\t1000\t1000"));
}

// "user" of the template may be any id: the caller's id on the host stays what it is.
TEST(TemplateAttack, UserWithIdOfRootIsStillTheCallerOutside) {
  AttackBox attack;
  const Hostile hostile;
  hostile.directory.write("root/etc/passwd", "user:x:0:0::/:/bin/sh\n");
  Sandbox box = attack.make(hostile.options());
  std::istringstream map(proc_text(box.host_pid(), "uid_map"));
  uint64_t inside = 0, outside = 0;
  ASSERT_TRUE(map >> inside >> outside);
  EXPECT_NE(outside, 0U);
}

// Case 9
TEST(TemplateAttack, TemplateIsNeverChanged) {
  AttackBox attack;
  const Hostile hostile;
  hostile.directory.write("root/opt/file", "template");
  for (const char* const user : {"user", "root"}) {
    SandboxOptions options = hostile.options();
    options.user = user;
    const Sandbox box = attack.make(options);
    AttackBox::run_probe(box, {"rewrite", "/opt/file"});
    AttackBox::run_probe(box, {"unwritten", "canary"});
  }
  EXPECT_EQ(hostile.directory.read("root/opt/file"), "template");
  EXPECT_FALSE(hostile.directory.exists("root/tmp/unwritten"));
}

// Case 8
TEST(TemplateAttack, NameOfTheTemplateIsNoMountOption) {
  AttackBox attack;
  const TempDir directory;
  ::chmod(directory.path().c_str(), 0755);
  const std::string odd = "a:b,upperdir=\\c\nd";
  directory.write(odd + "/etc/mark", "here");
  ::chmod(directory.path(odd).c_str(), 0755);
  SandboxOptions options = AttackBox::options();
  options.template_name = "dir:" + directory.path(odd);
  EXPECT_EQ(attack.make(options).files().read("/etc/mark"), "here");
}

// M3: the template's symlink does not choose what a mount of the user's covers.
TEST(TemplateAttack, MountTargetDoesNotFollowOutOfTheRootFileSystem) {
  AttackBox attack;
  Hostile hostile;
  hostile.link("data", "/proc/sys");
  hostile.link("devices", "/dev/shm");
  const TempDir source = TempDir::with({{"file", "host"}});
  ::chmod(source.path().c_str(), 0755);
  for (const char* const target : {"/data", "/devices"}) {
    SandboxOptions options = hostile.options();
    options.mounts.push_back({.source = source.path(), .target = target});
    EXPECT_THROW(attack.make(options), Error) << target;
  }
}

// E-28
TEST(MountAttack, ReplacedSourceIsNoticed) {
  AttackBox attack;
  const TempDir source = TempDir::with({{"a/", ""}, {"b/", ""}});
  ::chmod(source.path().c_str(), 0755);
  const std::string link = source.path("link");
  fs::create_directory_symlink(source.path("a"), link);
  // While another thread of the host swaps it, what is mounted is a or b, or creating fails.
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    for (int i = 0; !stop; ++i) {
      const std::string next = source.path("next");
      ::symlink(source.path(i % 2 == 0 ? "a" : "b").c_str(), next.c_str());
      ::rename(next.c_str(), link.c_str());
    }
  });
  int failed = 0;
  for (int i = 0; i < 30; ++i) {
    SandboxOptions options = AttackBox::options();
    options.mounts.push_back({.source = link, .target = "/mnt/swapped"});
    try {
      const Sandbox box = attack.make(options);
      EXPECT_THAT([&] { box.files().write("/mnt/swapped/x", ""); }, FailsWith(EROFS));
    } catch (const Error& error) {
      EXPECT_THAT(error, IsError(ESTALE));
      ++failed;
    }
  }
  stop = true;
  swapper.join();
  RecordProperty("noticed", failed);
}

TEST(MountAttack, ReadOnlyMountIsReadOnlyAndShowsNoDevice) {
  AttackBox attack;
  const TempDir source = TempDir::with({{"file", "host"}});
  ::chmod(source.path().c_str(), 0777);
  SandboxOptions options = AttackBox::options();
  options.mounts.push_back({.source = source.path(), .target = "/mnt/ro"});
  options.mounts.push_back(
      {.source = source.path(), .target = "/mnt/rw", .access = Access::ReadWrite});
  const Sandbox box = attack.make(options);
  const CommandResult result = box.commands().run(
      command({"/bin/sh", "-c", "touch /mnt/ro/x; touch /mnt/rw/y; mount | grep /mnt/"}));
  EXPECT_FALSE(source.exists("x"));
  EXPECT_TRUE(source.exists("y"));
  for (const std::string& line : split_lines(result.stdout_text)) {
    EXPECT_THAT(line, HasSubstr("nosuid,nodev"));
  }
}

// E-29, case 19
TEST(MountAttack, SubmountsOfAReadOnlyMountAreReadOnly) {
  require_root();
  AttackBox attack;
  const TempDir source = TempDir::with({{"sub/", ""}});
  ::chmod(source.path().c_str(), 0755);
  // In a mount namespace of a child: the machine's mounts stay as they are.
  const std::string sub = source.path("sub");
  std::thread([&] {
    check(::unshare(CLONE_NEWNS | CLONE_FS), "unshare");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount");
    check(::mount("none", sub.c_str(), "tmpfs", 0, "mode=0777"), "mount", sub);
    Runtime runtime({.data_directory = AttackBox::data().path("data")});
    SandboxOptions options = AttackBox::options();
    options.mounts.push_back({.source = source.path(), .target = "/mnt/ro"});
    const Sandbox box = runtime.create(options);
    const CommandResult result =
        box.commands().run(command({"/bin/sh", "-c", "touch /mnt/ro/sub/x 2>&1"}));
    EXPECT_THAT(result.stdout_text, HasSubstr("Read-only file system"));
  }).join();
}

// E-31
TEST(MountAttack, MountsDoNotPropagate) {
  AttackBox attack;
  const Sandbox box = attack.make();
  std::ifstream ours("/proc/self/mountinfo");
  for (std::string line; std::getline(ours, line);) {
    EXPECT_THAT(line, Not(HasSubstr(" overlay sandbox ")));
  }
  for (const std::string& line : posture(::getpid())) EXPECT_THAT(line, Not(HasSubstr("/probe")));
  EXPECT_THAT(proc_text(box.host_pid(), "mountinfo"), Not(HasSubstr("shared:")));
  EXPECT_THAT(proc_text(box.host_pid(), "mountinfo"), Not(HasSubstr("master:")));
}

}  // namespace
}  // namespace sandbox::test
