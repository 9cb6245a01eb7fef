#include "fs/fs_identity.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

FileOwner owner_with(uid_t uid, gid_t gid) {
  FileOwner owner;
  owner.name = "user";
  owner.host_uid = uid;
  owner.host_gid = gid;
  return owner;
}

constexpr uid_t kId = 0x7A000000;

bool can_open(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return static_cast<bool>(fd);
}

TEST(FsIdentity, RootHasOnlyTheRightsOfTheOwner) {
  require_root();
  const TempDir dir = TempDir::with({{"secret", "x"}});
  check(::chmod(dir.path().c_str(), 0755), "chmod");
  check(::chmod(dir.path("secret").c_str(), 0600), "chmod");
  ASSERT_TRUE(can_open(dir.path("secret")));
  {
    const FsIdentity as_owner(owner_with(kId, kId));
    EXPECT_FALSE(can_open(dir.path("secret")));
    EXPECT_NE(::mkdir(dir.path("new").c_str(), 0755), 0);
    EXPECT_NE(::chown(dir.path("secret").c_str(), kId, kId), 0);
    EXPECT_NE(::chmod(dir.path("secret").c_str(), 0644), 0);
    EXPECT_NE(::mknod(dir.path("device").c_str(), S_IFCHR | 0666, 0x103), 0);
  }
  EXPECT_TRUE(can_open(dir.path("secret")));
}

TEST(FsIdentity, GroupsOfTheHostDoNotLeak) {
  require_root();
  const TempDir dir = TempDir::with({{"group", "x"}, {"other-group", "x"}});
  check(::chmod(dir.path().c_str(), 0755), "chmod");
  for (const char* name : {"group", "other-group"}) {
    check(::chmod(dir.path(name).c_str(), 0040), "chmod");
  }
  check(::chown(dir.path("other-group").c_str(), 0, 4242), "chown");
  EXPECT_EQ(in_child([&] {
              const gid_t groups[] = {0, 4242};
              check(::setgroups(2, groups), "setgroups");
              std::string seen;
              {
                const FsIdentity as_owner(owner_with(kId, kId));
                seen += can_open(dir.path("group")) ? "leaks" : "closed";
                seen += can_open(dir.path("other-group")) ? "leaks" : "closed";
              }
              return seen + std::to_string(::getgroups(0, nullptr));
            }).text,
            "closedclosed2");
}

TEST(FsIdentity, NewFilesBelongToTheOwner) {
  require_root();
  const TempDir dir;
  check(::chmod(dir.path().c_str(), 0777), "chmod");
  {
    const FsIdentity as_owner(owner_with(kId, kId + 1));
    check(::mkdir(dir.path("new").c_str(), 0755), "mkdir");
  }
  struct stat status = {};
  check(::stat(dir.path("new").c_str(), &status), "stat");
  EXPECT_EQ(status.st_uid, kId);
  EXPECT_EQ(status.st_gid, kId + 1);
}

TEST(FsIdentity, ScopesNest) {
  require_root();
  const TempDir dir = TempDir::with({{"secret", "x"}});
  check(::chmod(dir.path("secret").c_str(), 0600), "chmod");
  const FsIdentity outer(owner_with(kId, kId));
  { const FsIdentity inner(owner_with(kId + 5, kId + 5)); }
  EXPECT_FALSE(can_open(dir.path("secret")));
  EXPECT_EQ(static_cast<uid_t>(::syscall(SYS_setfsuid, -1)), kId);
}

TEST(FsIdentity, OtherThreadsStayAsTheyAre) {
  require_root();
  const TempDir dir = TempDir::with({{"secret", "x"}});
  check(::chmod(dir.path("secret").c_str(), 0600), "chmod");
  const FsIdentity as_owner(owner_with(kId, kId));
  bool opened = false;
  // A thread inherits the identity of the one that makes it, so it is made to be root first.
  std::jthread([&] {
    ::syscall(SYS_setfsuid, 0);
    { const FsIdentity inner(owner_with(kId, kId)); }
    opened = can_open(dir.path("secret"));
  }).join();
  EXPECT_TRUE(opened);
  EXPECT_FALSE(can_open(dir.path("secret")));
}

TEST(FsIdentity, RootOfTheHostIsRefused) {
  require_root();
  EXPECT_THAT([] { const FsIdentity as_root(owner_with(0, 0)); }, FailsWith(EPERM));
}

TEST(FsIdentity, RootWithoutCapabilitiesIsRefused) {
  require_root();
  EXPECT_THAT(in_child([] {
                struct {
                  uint32_t version = 0x20080522;
                  int pid = 0;
                } header;
                const uint32_t none[6] = {};
                check(::syscall(SYS_capset, &header, none), "capset");
                const FsIdentity as_owner(owner_with(kId, kId));
                return std::string("entered");
              }).text,
              ::testing::HasSubstr("Operation not permitted"));
}

TEST(FsIdentity, OrdinaryUserActsForItselfOnly) {
  require_unprivileged();
  EXPECT_NO_THROW(FsIdentity(owner_with(::geteuid(), ::getegid())));
  EXPECT_THAT([] { const FsIdentity other(owner_with(::geteuid() + 1, ::getegid())); },
              FailsWith(EPERM));
}

}  // namespace
}  // namespace sandbox::test
