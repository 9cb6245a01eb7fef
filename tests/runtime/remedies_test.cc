#include "runtime/remedies.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kAppArmor = "kernel.apparmor_restrict_unprivileged_userns";

TEST(Remedy, AppArmorRestrictionIsNamed) {
  const TempDir sysctls = TempDir::with({{"kernel/apparmor_restrict_unprivileged_userns", "1\n"}});
  EXPECT_THAT(user_namespace_remedy(EPERM, Sysctls(sysctls.path())), HasSubstr(kAppArmor));
  EXPECT_THAT(user_namespace_remedy(EACCES, Sysctls(sysctls.path())), HasSubstr(kAppArmor));
}

TEST(Remedy, AppArmorThatIsOffIsNotBlamed) {
  const TempDir sysctls = TempDir::with({{"kernel/apparmor_restrict_unprivileged_userns", "0\n"}});
  EXPECT_THAT(user_namespace_remedy(EPERM, Sysctls(sysctls.path())), Not(HasSubstr(kAppArmor)));
}

TEST(Remedy, DistributionSwitchIsNamed) {
  const TempDir sysctls = TempDir::with({{"kernel/unprivileged_userns_clone", "0\n"}});
  EXPECT_THAT(user_namespace_remedy(EPERM, Sysctls(sysctls.path())),
              HasSubstr("kernel.unprivileged_userns_clone=1"));
}

TEST(Remedy, QuotaIsNamed) {
  const TempDir none;
  EXPECT_THAT(user_namespace_remedy(ENOSPC, Sysctls(none.path())),
              HasSubstr("user.max_user_namespaces="));
}

TEST(Remedy, ContainerIsTheLastGuess) {
  const TempDir none;
  EXPECT_THAT(user_namespace_remedy(EPERM, Sysctls(none.path())), HasSubstr("container"));
}

TEST(Remedy, MaskedProcIsExplained) { EXPECT_THAT(proc_remedy(EPERM), HasSubstr("unmask")); }

}  // namespace
}  // namespace sandbox::test
