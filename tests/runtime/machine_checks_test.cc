#include "runtime/machine_checks.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Status = Probe::Status;

TEST(CheckKernel, FloorIs5_15) {
  EXPECT_EQ(check_kernel("5.14.21").status, Status::Failed);
  EXPECT_EQ(check_kernel("5.15.0-91-generic").status, Status::Warning);
  EXPECT_EQ(check_kernel("6.1.0-18-amd64").status, Status::Warning);
  EXPECT_EQ(check_kernel("6.6").status, Status::Ok);
  EXPECT_EQ(check_kernel("10.0").status, Status::Ok);
  EXPECT_EQ(check_kernel("").status, Status::Failed);
}

TEST(CheckNamespaceLimits, ZeroIsFailure) {
  const TempDir sysctls =
      TempDir::with({{"user/max_user_namespaces", "100\n"}, {"user/max_net_namespaces", "0\n"}});
  const Probe probe = check_namespace_limits(Sysctls(sysctls.path()));
  EXPECT_EQ(probe.status, Status::Failed);
  EXPECT_EQ(probe.found, "user 100, net 0");
  EXPECT_THAT(probe.remedy, HasSubstr("user.max_net_namespaces="));
}

TEST(CheckCgroups, VersionOneIsAWarning) {
  EXPECT_EQ(check_cgroups("4:memory:/a\n", "/nowhere", "/nowhere").found, "only version 1");
  EXPECT_THAT(check_cgroups("4:memory:/a\n0::/a\n", "/nowhere", "/nowhere").found,
              HasSubstr("hybrid"));
}

TEST(CheckCgroups, DelegatedSubtreeIsOk) {
  const TempDir root = TempDir::with(
      {{"a/cgroup.controllers", "cpuset cpu io memory pids\n"}, {"a/cgroup.procs", ""}});
  const Probe probe = check_cgroups("0::/a\n", root.path(), "/nowhere");
  EXPECT_EQ(probe.status, Status::Ok) << probe.found;
  EXPECT_THAT(probe.remedy, IsEmpty());
}

TEST(CheckCgroups, MissingControllersAreNamed) {
  const TempDir root =
      TempDir::with({{"a/cgroup.controllers", "memory cpuset\n"}, {"a/cgroup.procs", ""}});
  const Probe probe = check_cgroups("0::/a\n", root.path(), "/nowhere");
  EXPECT_EQ(probe.status, Status::Warning);
  EXPECT_THAT(probe.found, HasSubstr("without cpu, pids"));
  EXPECT_EQ(probe.remedy,
            "for cpu, pids put '[Service]' and 'Delegate=cpu cpuset io memory pids' as two lines "
            "into /etc/systemd/system/user@.service.d/delegate.conf, run 'systemctl daemon-reload' "
            "and log in again");
}

// Its own systemd and the cgroup in which that makes scopes, with `controllers`.
Probe check_with_systemd(const std::string& controllers) {
  const std::string uid = std::to_string(::geteuid());
  const std::string service = "user.slice/user-" + uid + ".slice/user@" + uid + ".service";
  const TempDir root = TempDir::with({{"session/cgroup.controllers", ""},
                                      {"system.slice/cgroup.controllers", controllers},
                                      {service + "/cgroup.controllers", controllers}});
  const TempDir run =
      TempDir::with({{"systemd/system/x", ""}, {"user/" + uid + "/systemd/private", ""}});
  return check_cgroups("0::/session\n", root.path(), run.path());
}

TEST(CheckCgroups, SystemdThatCanBeAskedIsOk) {
  const Probe probe = check_with_systemd("cpu memory pids\n");
  EXPECT_EQ(probe.status, Status::Ok);
  EXPECT_EQ(probe.found, "systemd will be asked for a scope");
}

TEST(CheckCgroups, ControllersThatSystemdKeepsAreNamed) {
  const Probe probe = check_with_systemd("memory pids\n");
  EXPECT_EQ(probe.status, Status::Warning);
  EXPECT_EQ(probe.found, "systemd will be asked for a scope, without cpu");
  EXPECT_THAT(probe.remedy, HasSubstr("Delegate=cpu"));
}

TEST(CheckInotify, FewWatchesAreAWarning) {
  const TempDir sysctls = TempDir::with(
      {{"fs/inotify/max_user_instances", "128"}, {"fs/inotify/max_user_watches", "8192"}});
  EXPECT_EQ(check_inotify(Sysctls(sysctls.path())).status, Status::Warning);
}

TEST(CheckCorePattern, PipeIsNoted) {
  EXPECT_THAT(check_core_pattern("|/usr/lib/systemd/systemd-coredump\n").found,
              HasSubstr("program"));
  EXPECT_THAT(check_core_pattern("core\n").found, HasSubstr("files"));
}

}  // namespace
}  // namespace sandbox::test
