#include "tests/support/skips.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace sandbox::test {
namespace {

TEST(Skips, RootAndOrdinaryUserExcludeEachOther) {
  require_root();
  EXPECT_EQ(::geteuid(), 0U);
}

TEST(Skips, OrdinaryUserIsNotRoot) {
  require_unprivileged();
  EXPECT_NE(::geteuid(), 0U);
}

TEST(Skips, ShellIsAProgram) { require_program("sh"); }

TEST(Skips, MachineOffersUserNamespaces) { require_user_namespaces(); }

TEST(Skips, MachineOffersSubordinateIds) { require_subordinate_ids(); }

}  // namespace
}  // namespace sandbox::test
