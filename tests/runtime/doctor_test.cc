#include "sandbox/doctor.h"

#include <gmock/gmock.h>

#include "tests/support/process_snapshot.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using Status = Probe::Status;

std::vector<Probe> failed_ones(std::vector<Probe> probes) {
  std::erase_if(probes, [](const Probe& probe) { return probe.status != Status::Failed; });
  return probes;
}

TEST(Diagnose, FindsNothingWrongWhereSandboxesRun) {
  require_user_namespaces();
  for (const Probe& probe : failed_ones(diagnose())) ADD_FAILURE() << probe.name << probe.found;
}

TEST(Diagnose, LeavesNothingBehind) {
  const TempDir data;
  const LeakCheck nothing_left({data.path()});
  diagnose({.data_directory = data.path()});
}

TEST(Diagnose, DirectoryThatNobodyMayWriteIsNamed) {
  for (const Probe& probe : diagnose({.data_directory = "/proc/self/nosuch"})) {
    if (probe.name == "overlay in a directory") {
      EXPECT_NE(probe.status, Status::Ok);
    }
  }
}

TEST(CanRun, FailedProbeMattersOnlyWhenRequired) {
  const Probe required{
      .name = "a", .status = Status::Failed, .required = true, .found = "", .remedy = ""};
  const Probe useful{
      .name = "b", .status = Status::Failed, .required = false, .found = "", .remedy = ""};
  EXPECT_FALSE(can_run({required}));
  EXPECT_TRUE(can_run({useful}));
  EXPECT_TRUE(can_run({}));
}

}  // namespace
}  // namespace sandbox::test
