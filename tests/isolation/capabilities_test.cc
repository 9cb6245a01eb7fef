#include "isolation/capabilities.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>

#include "isolation/command_capabilities.h"
#include "sandbox/error.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using test::ChildEnd;
using test::in_child;
using ::testing::HasSubstr;

/// The lines Cap* of /proc/self/status as "Inh Prm Eff Bnd Amb", hexadecimal without leading zeros.
std::string capability_sets() {
  std::ifstream status("/proc/self/status");
  std::string sets;
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Cap", 0) != 0) continue;
    const std::size_t digit = std::min(line.find_first_not_of('0', 8), line.size() - 1);
    if (!sets.empty()) sets += ' ';
    sets += line.substr(digit);
  }
  return sets;
}

/// All capabilities in a new user namespace; no id is mapped, none is needed.
void become_capable() { check(::unshare(CLONE_NEWUSER), "unshare", "CLONE_NEWUSER"); }

TEST(Capabilities, AllFiveSetsBecomeEmpty) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    become_capable();
    EXPECT_NE(capability_sets(), "0 0 0 0 0");
    drop_capabilities(kNoCapabilities);
    return capability_sets();
  });
  EXPECT_EQ(end.text, "0 0 0 0 0") << end;
  EXPECT_EQ(end.exit_code, 0);
}

TEST(Capabilities, AmbientAndInheritableAreCleared) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    become_capable();
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    check(::syscall(SYS_capget, &header, data.data()), "capget");
    data[0].inheritable = 1U << CAP_KILL;
    check(::syscall(SYS_capset, &header, data.data()), "capset");
    check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), "prctl");
    EXPECT_THAT(capability_sets(), HasSubstr("20 "));
    drop_capabilities(kRangeInitCapabilities);
    return capability_sets();
  });
  // KILL, SETGID, SETUID, SETPCAP are 0x1e0; with the others of "root inside" 0x5fb.
  EXPECT_EQ(end.text, "0 5fb 1e0 5fb 0") << end;
}

// With CAP_SETPCAP kept, without which nobody could change them anyway.
CapabilityPolicy with_setpcap(CapabilityPolicy policy) {
  policy.effective = policy.permitted = policy.bounding = capabilities(CAP_SETPCAP);
  return policy;
}

TEST(Capabilities, SecurebitsAreSetAndLocked) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    become_capable();
    drop_capabilities(with_setpcap(kNoCapabilities));
    EXPECT_EQ(::prctl(PR_SET_SECUREBITS, 0), -1);
    EXPECT_EQ(::prctl(PR_SET_KEEPCAPS, 1), -1);
    return std::to_string(::prctl(PR_GET_SECUREBITS));
  });
  constexpr unsigned kExpected = SECURE_ALL_BITS | SECURE_ALL_LOCKS;
  const unsigned without_keep_caps = kExpected & ~static_cast<unsigned>(SECBIT_KEEP_CAPS);
  EXPECT_EQ(end.text, std::to_string(without_keep_caps)) << end;
  EXPECT_EQ(end.exit_code, 0);
}

TEST(Capabilities, SecurebitsOfRootInsideAreLocked) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    become_capable();
    drop_capabilities(with_setpcap(kRootCommandCapabilities));
    EXPECT_EQ(::prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS), -1);
    EXPECT_EQ(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETPCAP, 0, 0), -1);
    return std::to_string(::prctl(PR_GET_SECUREBITS) & SECURE_ALL_BITS);
  });
  EXPECT_EQ(end.text, std::to_string(SECBIT_NO_CAP_AMBIENT_RAISE)) << end;
  EXPECT_EQ(end.exit_code, 0);
}

// As init starts a command: it has its own policy already, and gives the child another.
std::string sets_of_a_child(const CapabilityPolicy& policy) {
  become_capable();
  drop_capabilities(kRangeInitCapabilities);
  if (const char* const call = try_drop_capabilities(policy)) return call;
  return capability_sets();
}

TEST(Capabilities, InitGivesRootInsideItsEight) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] { return sets_of_a_child(kRootCommandCapabilities); });
  EXPECT_EQ(end.text, "0 4fb 4fb 4fb 0") << end;
}

TEST(Capabilities, InitGivesOthersNone) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] { return sets_of_a_child(kNoCapabilities); });
  EXPECT_EQ(end.text, "0 0 0 0 0") << end;
}

TEST(Capabilities, FailureOfAChildNamesTheCall) {
  test::require_unprivileged();
  const ChildEnd end = in_child([] { return std::string(try_drop_capabilities(kNoCapabilities)); });
  EXPECT_EQ(end.text, "prctl(PR_CAPBSET_DROP)") << end;
}

TEST(Capabilities, RootWithoutThemGetsNoneFromExec) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([]() -> std::string {
    become_capable();
    drop_capabilities(kNoCapabilities);
    ::execl("/bin/sh", "sh", "-c", "grep -q 'CapEff:.*0000000000000000' /proc/self/status",
            nullptr);
    return "not started";
  });
  EXPECT_EQ(end.exit_code, 0) << end;
  EXPECT_EQ(end.text, "");
}

TEST(Capabilities, WithoutSetpcapTheErrorNamesTheCall) {
  test::require_unprivileged();
  const ChildEnd end = in_child([] {
    drop_capabilities(kNoCapabilities);
    return std::string("dropped");
  });
  EXPECT_THAT(end.text, HasSubstr("PR_CAPBSET_DROP"));
}

TEST(Capabilities, NoNewPrivsIsSet) {
  const ChildEnd end = in_child([] {
    set_no_new_privs();
    return std::to_string(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  });
  EXPECT_EQ(end.text, "1");
}

TEST(Capabilities, GiveUpRootKeepsTwoCapabilitiesAndNoGroup) {
  test::require_root();
  const ChildEnd end = in_child([] {
    const gid_t group = 4;
    check(::setgroups(1, &group), "setgroups");
    give_up_root(1001, 1002);
    EXPECT_EQ(::getgroups(0, nullptr), 0);
    EXPECT_EQ(::prctl(PR_GET_KEEPCAPS), 0);
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    check(::getresuid(&real, &effective, &saved), "getresuid");
    EXPECT_EQ(real, 1001U);
    EXPECT_EQ(effective, 1001U);
    EXPECT_EQ(saved, 1001U);
    EXPECT_EQ(::getegid(), 1002U);
    return capability_sets();
  });
  EXPECT_THAT(end.text, ::testing::StartsWith("0 c0 c0")) << end;
  EXPECT_EQ(end.exit_code, 0);
}

TEST(Capabilities, GiveUpRootRefusesRoot) {
  EXPECT_THROW(give_up_root(0, 1001), Error);
  EXPECT_THROW(give_up_root(1001, 0), Error);
}

}  // namespace
}  // namespace sandbox
