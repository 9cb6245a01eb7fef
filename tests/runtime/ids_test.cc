#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::Box;
using test::FailsWith;
using test::require_subordinate_ids;
using test::TempDir;

// The host's owner of a file that a sandbox with these options makes.
uid_t owner_outside(SandboxOptions options) {
  const TempDir host;
  fs::permissions(host.path(), fs::perms::all);
  options.mounts = {{host.path(), "/work", Access::ReadWrite}};
  const Box box(options);
  box.out("touch /work/file");
  struct stat status {};
  check(::stat(host.path("file").c_str(), &status), "stat", host.path("file"));
  return status.st_uid;
}

CommandResult as_root(const Box& box, const std::string& script) {
  return box.sh(script, {.user = "root"});
}

TEST(Ids, SingleMapsOneId) {
  const Box box(SandboxOptions{.ids = Ids::Single});
  EXPECT_EQ(box.out("wc -l < /proc/self/uid_map; cat /proc/self/setgroups"), "1\ndeny\n");
}

TEST(Ids, SingleHasTheOneUser) {
  const Box box(SandboxOptions{.ids = Ids::Single});
  EXPECT_THAT([&] { as_root(box, "true"); }, FailsWith(EINVAL));
}

TEST(Ids, RootInsideIsNobodyOutside) {
  const Box box(SandboxOptions{.user = "root"});
  EXPECT_EQ(box.out("id -u; echo $HOME; pwd"), "0\n/root\n/root\n");
  EXPECT_NE(owner_outside({.user = "root"}), 0U);
}

TEST(Ids, RootInsideHasNoCapability) {
  const Box box(SandboxOptions{.user = "root"});
  EXPECT_THAT(box.out("grep CapEff /proc/self/status"), ::testing::HasSubstr("0000000000000000"));
}

TEST(Ids, UserIsTheCallerOutside) {
  test::require_unprivileged();
  EXPECT_EQ(owner_outside({}), ::geteuid());
}

TEST(Ids, CallerWhoIsRootIsSomebodyElse) {
  test::require_root();
  EXPECT_GT(owner_outside({}), 65536U);
}

TEST(Ids, UserThatTheTemplateLacksIsInvalid) {
  EXPECT_THAT([] { Box(SandboxOptions{.user = "stranger"}); }, FailsWith(EINVAL));
}

// Of an ordinary user it takes changes in memory.
void require_range() {
  require_subordinate_ids();
  if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
}

TEST(Ids, RangeOnDiskIsRefusedToAnOrdinaryUser) {
  test::require_unprivileged();
  require_subordinate_ids();
  Runtime runtime;
  EXPECT_THAT([&] { runtime.create({.ids = Ids::Range, .upper = Upper::Directory}); },
              test::FailsWith(EOPNOTSUPP));
}

TEST(Ids, RangeMaps65536Ids) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_EQ(box.out("awk '{n += $3} END {print n}' /proc/self/uid_map"), "65536\n");
}

TEST(Ids, RangeRunsAsUserByDefault) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_EQ(box.out("id -u; id -g"), "1000\n1000\n");
}

TEST(Ids, RangeRunsEachCommandAsTheUserItNames) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_EQ(as_root(box, "id -u; echo $HOME $USER").stdout_text, "0\n/root root\n");
  EXPECT_EQ(box.out("id -u"), "1000\n");
}

TEST(Ids, RangeKeepsUsersApart) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  ASSERT_EQ(as_root(box, "umask 077; echo secret > /tmp/of-root").outcome, Outcome(Exited{0}));
  EXPECT_EQ(box.out("cat /tmp/of-root 2>/dev/null || stat -c %U /tmp/of-root"), "root\n");
}

TEST(Ids, RangeLetsRootOverrideModesAndOwners) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  box.out("umask 077; mkdir own; echo secret > own/file; chmod 000 own");
  const CommandResult result = as_root(
      box, "cat /home/user/own/file; chown 33:34 /home/user/own; stat -c %u:%g /home/user/own");
  EXPECT_EQ(result.stdout_text, "secret\n33:34\n") << result.stderr_text;
}

TEST(Ids, RangeLetsNobodyElseChangeOwners) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_NE(box.sh("touch file && chown 33 file").exit_code(), 0);
}

TEST(Ids, RangeGivesSystemDirectoriesToRoot) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_EQ(box.out("stat -c '%U %a %n' / /etc /etc/passwd /home /root /tmp /var/lib /home/user"),
            "root 755 /\nroot 755 /etc\nroot 644 /etc/passwd\nroot 755 /home\nroot 700 /root\n"
            "root 1777 /tmp\nroot 755 /var/lib\nuser 755 /home/user\n");
  EXPECT_NE(box.sh(": >> /etc/passwd").exit_code(), 0);
}

TEST(Ids, RangeLeavesAMountToItsOwner) {
  require_range();
  for (const char* const target : {"/root", "/opt", "/etc/hosts.d"}) {
    const TempDir host;
    struct stat before {};
    check(::stat(host.path().c_str(), &before), "stat", host.path());
    const Box box(
        SandboxOptions{.mounts = {{host.path(), target, Access::ReadWrite}}, .ids = Ids::Range});
    struct stat after {};
    check(::stat(host.path().c_str(), &after), "stat", host.path());
    EXPECT_EQ(after.st_uid, before.st_uid) << target;
  }
}

TEST(Ids, RangeHasNoGroupOfTheCaller) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_EQ(box.out("id -G"), "1000\n");
  EXPECT_EQ(as_root(box, "id -G").stdout_text, "0\n");
}

TEST(Ids, RangeNeverMapsRootOfTheHost) {
  require_range();
  const Box box(SandboxOptions{.ids = Ids::Range});
  EXPECT_EQ(box.out("awk '$2 == 0' /proc/self/uid_map /proc/self/gid_map"), "");
}

}  // namespace
}  // namespace sandbox
