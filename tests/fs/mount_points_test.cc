// What other mounts in a sandbox mean for operations from the host.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

class MountPoints : public ::testing::Test {
 protected:
  const Files& files() const { return root_.files(); }
  bool foreign_is_mounted() const {
    return ::access(root_.inside("/foreign/secret").c_str(), F_OK) == 0;
  }

  TestRoot root_{RootKind::Overlay};
};

TEST_F(MountPoints, VolumesOfTheSandboxAreOrdinary) {
  files().write("/tmp/a/b", "x", {.metadata = {{"k", "v"}}});
  EXPECT_EQ(files().read("/tmp/a/b"), "x");
  files().write("/tmp/a/b", "yz");
  EXPECT_EQ(files().stat("/tmp/a/b")->size, 2U);
  EXPECT_EQ(files().list("/tmp", {.depth = 2}).size(), 2U);
  EXPECT_EQ(files().stat("/tmp/a/b")->owner, "user");
  files().remove("/tmp/a");
  EXPECT_FALSE(files().exists("/tmp/a"));
}

TEST_F(MountPoints, OtherMountsAreRefusedByEveryOperation) {
  ASSERT_EQ(root_.read("/foreign/secret"), "secret");
  for (const std::string path :
       {"/foreign/secret", "/proc/self/status", "/proc/version", "/etc/hosts", "/dev/null"}) {
    EXPECT_THAT([&] { files().read(path); }, FailsWith(EXDEV)) << path;
    EXPECT_THAT([&] { files().write(path, "x"); }, FailsWith(EXDEV)) << path;
    EXPECT_THAT([&] { files().append(path, "x"); }, FailsWith(EXDEV)) << path;
    EXPECT_THAT([&] { files().stat(path); }, FailsWith(EXDEV)) << path;
    EXPECT_THAT([&] { files().chmod(path, 0777); }, FailsWith(EXDEV)) << path;
    EXPECT_THAT([&] { files().download(path, "x"); }, FailsWith(EXDEV)) << path;
  }
  EXPECT_THAT([&] { files().write("/foreign/new", "x"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().make_dir("/foreign/new"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().list("/proc"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().watch("/proc"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().remove("/foreign/secret"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().rename("/foreign/secret", "/a"); }, FailsWith(EXDEV));
  EXPECT_THAT([&] { files().symlink("/x", "/foreign/link"); }, FailsWith(EXDEV));
  EXPECT_EQ(root_.read("/foreign/secret"), "secret");
  EXPECT_LT(::access(root_.inside("/foreign/new").c_str(), F_OK), 0);
}

TEST_F(MountPoints, MagicLinksLeadNowhere) {
  root_.as_payload([&] {
    ::symlink("/proc/self/root/etc/passwd", root_.inside("/home/user/root").c_str());
    ::symlink("/proc/self/cwd", root_.inside("/home/user/cwd").c_str());
  });
  EXPECT_THAT([&] { files().read("root"); }, FailsWith(ELOOP));
  EXPECT_THAT([&] { files().list("cwd"); }, FailsWith(ELOOP));
  EXPECT_THAT([&] { files().read("/proc/self/exe"); }, FailsWith(ELOOP));
}

TEST_F(MountPoints, ListNamesOtherMountsWithoutEnteringThem) {
  bool seen = false;
  for (const EntryInfo& entry : files().list("/", {.depth = 3})) {
    EXPECT_FALSE(entry.path.starts_with("/proc/")) << entry.path;
    EXPECT_FALSE(entry.path.starts_with("/foreign/")) << entry.path;
    if (entry.path != "/proc") continue;
    seen = true;
    EXPECT_EQ(entry.list_error, EXDEV);
  }
  EXPECT_TRUE(seen);
}

// The kernel keeps a mount point from being removed in its own mount namespace only.
TEST_F(MountPoints, MountPointsCannotBeRemovedOrReplaced) {
  files().write("a", "x");
  EXPECT_THAT([&] { files().remove("/foreign"); }, FailsWith(EBUSY));
  EXPECT_THAT([&] { files().remove("/etc/hosts"); }, FailsWith(EBUSY));
  EXPECT_THAT([&] { files().remove("/etc"); }, FailsWith(EBUSY));
  EXPECT_THAT([&] { files().rename("/foreign", "/home/user/b"); }, FailsWith(EBUSY));
  EXPECT_THAT([&] { files().rename("a", "/etc/hosts"); }, FailsWith(EBUSY));
  EXPECT_THAT([&] { files().copy("a", "/etc/hosts"); }, FailsWith(EBUSY));
  EXPECT_THAT([&] { files().write("/etc/hosts", "x", {.mode = WriteMode::Atomic}); },
              FailsWith(EBUSY));
  EXPECT_EQ(root_.read("/etc/hosts"), "mounted");
  ASSERT_TRUE(foreign_is_mounted());
  root_.as_payload([&] { check(::rmdir(root_.inside("/foreign").c_str()), "rmdir"); });
  EXPECT_FALSE(foreign_is_mounted());  // What would have happened to it.
}

TEST_F(MountPoints, RemovalAndMeasuringStopAtMounts) {
  EXPECT_THAT([&] { files().remove("/dev"); }, FailsWith(EBUSY));
  EXPECT_LT(files().disk_usage("/").files, 20U);  // /proc has thousands.
}

TEST_F(MountPoints, RenameCrossesVolumes) {
  files().write("dir/a", "x");
  files().rename("dir", "/tmp/moved");
  EXPECT_EQ(files().read("/tmp/moved/a"), "x");
  EXPECT_FALSE(files().exists("dir"));
}

// Overlay without redirect_dir answers EXDEV for these.
TEST_F(MountPoints, RenameMovesDirectoriesOfTheTemplate) {
  ASSERT_NE(::rename(root_.inside("/template").c_str(), root_.inside("/renamed").c_str()), 0);
  files().rename("/template", "/renamed");
  EXPECT_EQ(files().read("/renamed/dir/file"), "in a directory");
  EXPECT_FALSE(files().exists("/template"));
}

TEST_F(MountPoints, FilesOfTheTemplateAreCopiedUp) {
  files().append("/template/file", "!");
  EXPECT_EQ(files().read("/template/file"), "template!");
}

}  // namespace
}  // namespace sandbox::test
