// SandboxOptions::mounts.

#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::Box;
using test::FailsWith;
using test::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

SandboxOptions with_mount(const std::string& source, const std::string& target,
                          Access access = Access::ReadOnly) {
  return {.mounts = {{source, target, access}}};
}

// Also writable for the id that sandboxes of root run as.
TempDir shared_directory() {
  TempDir dir = TempDir::with({{"file", "from the host"}, {"below/file", "deeper"}});
  fs::permissions(dir.path(), fs::perms::all);
  return dir;
}

TEST(Mounts, DirectoryIsShownWithAllBelow) {
  const TempDir host = shared_directory();
  const Box box(with_mount(host.path(), "/work"));
  EXPECT_EQ(box.out("cat /work/file /work/below/file"), "from the hostdeeper");
}

TEST(Mounts, ReadOnlyIsTheDefaultAndHolds) {
  const TempDir host = shared_directory();
  const Box box(with_mount(host.path(), "/work"));
  EXPECT_THAT(box.sh("echo x > /work/new").stderr_text, HasSubstr("Read-only"));
  EXPECT_THAT(box.sh("echo x > /work/file").stderr_text, HasSubstr("Read-only"));
  EXPECT_FALSE(host.exists("new"));
}

TEST(Mounts, WritableOneWritesToTheHost) {
  const TempDir host = shared_directory();
  const Box box(with_mount(host.path(), "/work", Access::ReadWrite));
  box.out("echo from inside > /work/new");
  EXPECT_EQ(host.read("new"), "from inside\n");
}

TEST(Mounts, FilesOfTheLibrarySeeThemToo) {
  const TempDir host = shared_directory();
  const Box box(with_mount(host.path(), "/work"));
  EXPECT_EQ(box.files().read("/work/file"), "from the host");
}

TEST(Mounts, FileIsMountedOnAFile) {
  const TempDir host = shared_directory();
  const Box box(with_mount(host.path("file"), "/etc/hosts"));
  EXPECT_EQ(box.out("cat /etc/hosts"), "from the host");
}

TEST(Mounts, ParentsAreMade) {
  const TempDir host = shared_directory();
  const Box box(SandboxOptions{
      .mounts = {{host.path("file"), "/new/parents/file"}, {host.path(), "/home/user/a/b"}}});
  EXPECT_EQ(box.out("cat /new/parents/file ~/a/b/file"), "from the hostfrom the host");
}

TEST(Mounts, OneMayLieInAnother) {
  const TempDir host = shared_directory();
  const TempDir inner = TempDir::with({{"inner", "x"}});
  fs::permissions(inner.path(), fs::perms::all);
  const Box box(SandboxOptions{.mounts = {{host.path(), "/work"}, {inner.path(), "/work/below"}}});
  EXPECT_EQ(box.out("ls /work /work/below"), "/work:\nbelow\nfile\n\n/work/below:\ninner\n");
}

TEST(Mounts, SourceMayBeASymlink) {
  const TempDir host = shared_directory();
  fs::create_symlink("below", host.path("link"));
  const Box box(with_mount(host.path("link"), "/work"));
  EXPECT_EQ(box.out("cat /work/file"), "deeper");
}

TEST(Mounts, SourceMayHaveAnyName) {
  const TempDir host = TempDir::with({{"a:b,c\\d e\n/file", "x"}});
  const Box box(with_mount(host.path("a:b,c\\d e\n"), "/work"));
  EXPECT_EQ(box.out("cat /work/file"), "x");
}

TEST(Mounts, AreNosuidAndNodev) {
  const TempDir host = shared_directory();
  const Box box(with_mount(host.path(), "/work", Access::ReadWrite));
  EXPECT_THAT(box.out("grep ' /work ' /proc/self/mountinfo"),
              AllOf(HasSubstr("nosuid"), HasSubstr("nodev")));
}

TEST(Mounts, MissingSourceIsEnoentAndNamed) {
  EXPECT_THAT([] { Box(with_mount("/no/such/source", "/work")); },
              FailsWith(ENOENT, HasSubstr("/no/such/source")));
}

TEST(Mounts, SourceThatTheSandboxMustNotReachIsEacces) {
  const TempDir host = shared_directory();
  fs::permissions(host.path(), fs::perms::none);
  EXPECT_THAT([&] { Box(with_mount(host.path("below"), "/work")); }, FailsWith(EACCES));
}

TEST(Mounts, TargetsOfOursAndTargetsThatAreNoPathAreInvalid) {
  const TempDir host = shared_directory();
  for (const char* target : {"/proc", "/proc/sys", "/dev", "/dev/null", "/", "", "relative",
                             "/ends/", "/a/../proc", "/.."}) {
    EXPECT_THAT([&] { Box(with_mount(host.path(), target)); }, FailsWith(EINVAL)) << target;
  }
}

TEST(Mounts, DirectoryOnAFileAndFileOnADirectoryAreRefused) {
  const TempDir host = shared_directory();
  EXPECT_THAT([&] { Box(with_mount(host.path(), "/etc/passwd")); }, FailsWith(ENOTDIR));
  EXPECT_THAT([&] { Box(with_mount(host.path("file"), "/etc")); }, FailsWith(EISDIR));
}

TEST(Mounts, FailedOneLeavesTheRuntimeUsable) {
  Box box;
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT([&] { box.runtime().create(with_mount("/etc", "/proc")); }, FailsWith(EINVAL));
  }
  box.sandbox() = box.runtime().create();
  EXPECT_EQ(box.out("echo fine"), "fine\n");
}

// Whoever reaches those writes into the layers of others, and commands other sandboxes.
TEST(Mounts, NothingShowsTheDataDirectory) {
  const TempDir home = TempDir::with({{"data/file", ""}, {"beside/file", "seen"}});
  fs::permissions(home.path("data"), fs::perms(0711));
  fs::permissions(home.path(), fs::perms(0755));
  Runtime runtime({.data_directory = home.path("data")});
  runtime.create({.lifetime = Lifetime::Detached}).destroy();
  fs::create_directory_symlink(home.path("data"), home.path("link"));
  for (const char* inside : {"", "data", "data/run", "data/file", "link", "beside/../data/run"}) {
    EXPECT_THAT([&] { runtime.create(with_mount(home.path(inside), "/work")); }, FailsWith(EPERM))
        << inside;
  }
  EXPECT_THAT([&] { runtime.create(with_mount("/", "/work")); }, FailsWith(EPERM));
  Sandbox box = runtime.create(with_mount(home.path("beside"), "/work"));
  EXPECT_EQ(box.files().read("/work/file"), "seen");
}

}  // namespace
}  // namespace sandbox
