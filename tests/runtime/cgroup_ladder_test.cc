// Where cgroups of sandboxes may be made: the rungs in their order.
#include "runtime/cgroup_ladder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "runtime/base/kernel_file.h"
#include "runtime/own_cgroup.h"
#include "sandbox/error.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using test::FailsWith;
using test::in_child;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::string_view> kMemory{"memory"};

std::string hint_of(const CgroupSituation& situation, const std::vector<std::string_view>& wanted) {
  try {
    find_delegated_cgroup(situation, wanted);
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), EOPNOTSUPP) << error.what();
    return error.hint();
  }
  return "nothing was refused";
}

std::string own_path() {
  return OwnCgroup::parse(read_kernel_file(AT_FDCWD, "/proc/self/cgroup")).path;
}

std::string above_ours() {
  test::require_cgroup_controller("memory");
  const std::string own = own_path();
  return own.substr(0, own.rfind('/'));
}

std::string path_of(const Cgroup& group) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(group.fd());
  const ssize_t size = check(::readlink(link.c_str(), path, sizeof(path)), "readlink", link);
  return std::string(path, static_cast<std::size_t>(size)).substr(sizeof("/sys/fs/cgroup") - 1);
}

// A cgroup beside ours, removed with its children.
class Beside {
 public:
  explicit Beside(std::string name)
      : above_(Cgroup::open("/sys/fs/cgroup" + above_ours())),
        name_(std::move(name)),
        group_(above_.make_or_open(name_)) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    for (const char* child : {"host", "leaf"}) remove_cgroup(group_, child);
    remove_cgroup(above_, name_);
  }
  const Cgroup& group() const { return group_; }

 private:
  Cgroup above_;
  std::string name_;
  Cgroup group_;
};

TEST(CgroupLadder, Version1IsRefusedWithTheParameterOfTheKernel) {
  for (const char* self : {"4:memory:/x\n0::/\n", "4:memory:/x\n", ""}) {
    EXPECT_THAT(hint_of({.self = self}, kMemory),
                HasSubstr("boot with systemd.unified_cgroup_hierarchy=1"));
  }
}

TEST(CgroupLadder, WithoutAnyTheRemedyIsACommand) {
  test::require_cgroup_controller("memory");
  EXPECT_THAT(hint_of({.self = "0::/\n"}, kMemory),
              HasSubstr("systemd-run --user --scope -p Delegate=yes -- COMMAND"));
}

TEST(CgroupLadder, OneAboveOursIsTakenWhenWeAreInALeaf) {
  const std::string wanted = above_ours();
  const DelegatedCgroup found = find_delegated_cgroup({.self = "0::" + own_path() + '\n'}, kMemory);
  EXPECT_EQ(path_of(found.above), wanted);
}

TEST(CgroupLadder, WhatSystemdDividesItselfIsLeftAlone) {
  for (const char* name : {"test.slice", "user@1000.service"}) {
    const Beside above(name);
    above.group().make("leaf");
    const std::string leaf = path_of(above.group()) + "/leaf";
    EXPECT_THAT(hint_of({.self = "0::" + leaf + '\n'}, kMemory), HasSubstr("systemd-run")) << name;
  }
}

// Runs in a child, for the process that moves is the one that asks.
std::string ask_from(const Cgroup& group, bool may_move_host) {
  const auto end = in_child([&] {
    group.add(::getpid());
    const std::string own = own_path();
    try {
      const DelegatedCgroup found = find_delegated_cgroup(
          {.self = "0::" + own + '\n', .may_move_host = may_move_host}, kMemory);
      return path_of(found.above).substr(own.size()) + " from " + own_path().substr(own.size());
    } catch (const Error& error) {
      return "stays in " + own_path().substr(own.size()) + ": " + error.what();
    }
  });
  return end.text;
}

// In a slice, so that the one above is not taken.
TEST(CgroupLadder, OursIsLeftForALeafWithConsent) {
  const Beside slice("test.slice");
  slice.group().make("leaf");
  slice.group().enable("memory");
  const Cgroup leaf = slice.group().child("leaf");
  EXPECT_EQ(ask_from(leaf, true), " from /host");
  remove_cgroup(leaf, "host");
}

TEST(CgroupLadder, HostIsNotMovedWithoutConsent) {
  const Beside slice("test.slice");
  slice.group().make("leaf");
  EXPECT_THAT(ask_from(slice.group().child("leaf"), false), HasSubstr("stays in : limit"));
}

TEST(CgroupLadder, HostIsNotMovedFromAmongOthers) {
  const Beside slice("test.slice");
  const Cgroup leaf = slice.group().make("leaf");
  const pid_t other = ::fork();
  if (other == 0) {
    for (;;) ::pause();
  }
  leaf.add(other);
  EXPECT_THAT(ask_from(leaf, true), HasSubstr("stays in : limit"));
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
}

TEST(CgroupLadder, MissingControllerIsNamedWithTheDropIn) {
  const std::string above = above_ours();
  EXPECT_THAT(hint_of({.self = "0::" + own_path() + '\n'}, {"nosuch"}),
              AllOf(HasSubstr("nosuch"), HasSubstr("user@.service.d/delegate.conf")));
}

TEST(CgroupLadder, ConfiguredOneIsTakenFirst) {
  const Beside configured("configured");
  const DelegatedCgroup found =
      find_delegated_cgroup({.self = "0::" + own_path() + '\n',
                             .configured = "/sys/fs/cgroup" + path_of(configured.group())},
                            {});
  EXPECT_EQ(path_of(found.above), path_of(configured.group()));
}

TEST(CgroupLadder, ScopeOfSystemdIsTheLastRung) {
  const Beside scope("fake.scope");
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    for (;;) ::pause();
  }
  CgroupSituation situation{.self = "0::/\n", .systemd = true, .launcher = launcher};
  situation.start_scope = [&](pid_t pid) {
    scope.group().add(pid);
    return std::string("fake.scope");
  };
  const DelegatedCgroup found = find_delegated_cgroup(situation, {});
  EXPECT_EQ(path_of(found.above), path_of(scope.group()));
  EXPECT_FALSE(found.holds_launcher);
  ::kill(launcher, SIGKILL);
  ::waitpid(launcher, nullptr, 0);
}

TEST(CgroupLadder, WhatSystemdAnsweredIsTold) {
  test::require_cgroup_controller("memory");
  CgroupSituation situation{.self = "0::/\n", .systemd = true, .launcher = 1};
  situation.start_scope = [](pid_t) -> std::string {
    throw Error(EOPNOTSUPP, "StartTransientUnit", "x.scope", "Failed to connect to bus");
  };
  EXPECT_THAT(hint_of(situation, kMemory), HasSubstr("Failed to connect to bus"));
}

}  // namespace
}  // namespace sandbox
