// What is asked of systemd, with a script in the place of busctl(1).
#include "runtime/systemd_scope.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/error.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::FailsWith;
using test::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string script(const TempDir& dir, const std::string& body) {
  dir.write("busctl", "#!/bin/sh\n" + body + "\n");
  const std::string path = dir.path("busctl");
  check(::chmod(path.c_str(), 0755), "chmod", path);
  return path;
}

TEST(SystemdScope, AsksForADelegatedScopeWithTheProcess) {
  const TempDir dir;
  const std::string busctl = script(dir, "echo \"$@\" > " + dir.path("asked") + "; echo no >&2");
  EXPECT_THAT([&] { start_delegated_scope(4711, busctl); }, FailsWith(EOPNOTSUPP));
  EXPECT_THAT(dir.read("asked"),
              AllOf(HasSubstr("StartTransientUnit ssa(sv)a(sa(sv)) sandbox-4711-"),
                    HasSubstr("Delegate b true"), HasSubstr("PIDs au 1 4711 0"),
                    HasSubstr(::geteuid() == 0 ? "--system" : "--user")));
}

TEST(SystemdScope, ComplaintOfSystemdIsTheHint) {
  const TempDir dir;
  const std::string busctl = script(dir, "echo 'Call failed: Access denied' >&2; exit 1");
  try {
    start_delegated_scope(4711, busctl);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "Call failed: Access denied");
  }
}

TEST(SystemdScope, MachineWithoutSystemdHasNone) {
  const TempDir dir;
  EXPECT_THAT([&] { start_delegated_scope(4711, dir.path("busctl")); },
              FailsWith(EOPNOTSUPP, HasSubstr("posix_spawn")));
}

}  // namespace
}  // namespace sandbox
