// Limits on the command line: exit codes, the line that explains, and the remedy.

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/cli/detached_box.h"
#include "tests/cli/program.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string own_cgroups() {
  std::ifstream file("/proc/self/cgroup");
  return {std::istreambuf_iterator<char>(file), {}};
}

bool has_version_1() { return own_cgroups().find(":memory:") != std::string::npos; }

TEST(CliLimits, OutOfMemoryIs137AndSaysSo) {
  require_cgroup_controller("memory");
  const Ended end = sandboxctl({"run", "--memory", "64M", "--", "tail", "/dev/zero"});
  EXPECT_EQ(end.exit_code, 137);
  EXPECT_THAT(end.err, HasSubstr("tail: out of memory: the limit is 64.0 MiB, the peak was 64"));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
}

TEST(CliLimits, DocumentHasTheLimitAndThePeak) {
  require_cgroup_controller("memory");
  const Ended end = sandboxctl({"run", "--json", "--memory", "64M", "--", "tail", "/dev/zero"});
  const json outcome = json::parse(end.out).at("outcome");
  EXPECT_EQ(outcome.at("kind"), "out_of_memory");
  EXPECT_EQ(outcome.at("limit_bytes"), 64 << 20);
}

TEST(CliLimits, PidLimitKeepsTheExitCode) {
  require_cgroup_controller("pids");
  const Ended end =
      sandboxctl({"run", "--pids", "5", "--", "sh", "-c", "while :; do sleep 1000 & done"});
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_THAT(end.err, HasSubstr("the limit of 5 processes was reached 1 times"));
}

TEST(CliLimits, DiskLimitKeepsTheExitCode) {
  require_user_xattrs_on_tmpfs();
  const Ended end =
      sandboxctl({"run", "--disk", "4M", "--", "sh", "-c", "cat /dev/zero > ~/x 2> /dev/null"});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_EQ(end.err,
            "sandboxctl: running the command: sh: exited with 1 with the disk of 4.0 MiB full\n");
}

TEST(CliLimits, ExplainTellsLimitsAndDefaults) {
  require_user_xattrs_on_tmpfs();
  const Ended end = sandboxctl({"run", "--explain", "--disk", "4M", "--", "true"});
  EXPECT_THAT(end.err, AllOf(HasSubstr("disk limit                4 MiB"),
                             HasSubstr("NOFILE 1024/4096"), HasSubstr("time limit")));
  EXPECT_THAT(end.out, IsEmpty());
}

TEST(CliLimits, ExplainTellsWhatHoldsWithoutLimits) {
  require_user_xattrs_on_tmpfs();
  const Ended end = sandboxctl({"run", "--explain", "--", "true"});
  EXPECT_THAT(end.err, AllOf(HasSubstr("cgroup limits             none (rlimits only)"),
                             HasSubstr("half of the machine's memory"), HasSubstr("NPROC 4096")));
}

TEST(CliLimits, RefusedLimitIsOneSentenceAndTheRemedy) {
  if (!has_version_1()) GTEST_SKIP() << "needs a machine with cgroup version 1";
  const std::string before = own_cgroups();
  const Ended end = sandboxctl({"run", "--memory", "64M", "--", "true"});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
  EXPECT_THAT(end.err, AllOf(HasSubstr("creating the sandbox: limit memory: "), HasSubstr("hint: "),
                             HasSubstr("version 2")));
  EXPECT_EQ(own_cgroups(), before);
}

TEST(CliLimits, PausedSandboxRefusesCommandsAndGoesOn) {
  require_cgroup_controller("memory");
  const DetachedBoxes boxes;
  const std::string id = boxes.create({"--memory", "64M"});
  EXPECT_EQ(boxes.sandboxctl({"pause", id}).exit_code, 0);
  EXPECT_THAT(boxes.sandboxctl({"stats", id}).out, HasSubstr("paused"));
  EXPECT_THAT(boxes.sandboxctl({"exec", id, "true"}).err, HasSubstr("resume it first"));
  EXPECT_EQ(boxes.sandboxctl({"resume", id}).exit_code, 0);
  EXPECT_EQ(boxes.sandboxctl({"exec", id, "true"}).exit_code, 0);
  const json stats = json::parse(boxes.sandboxctl({"stats", "--json", id}).out);
  EXPECT_EQ(stats.at("memory_limit_bytes"), 64 << 20);
}

TEST(CliLimits, PausedSandboxIsListedAndRemoved) {
  require_cgroup_controller("memory");
  const DetachedBoxes boxes;
  const std::string id = boxes.create({"--memory", "64M"});
  const json before = json::parse(boxes.sandboxctl({"list", "--json"}).out).at("sandboxes").at(0);
  EXPECT_EQ(before.at("state"), "running");
  EXPECT_GT(before.at("memory_bytes"), 100'000);
  EXPECT_EQ(boxes.sandboxctl({"pause", id}).exit_code, 0);
  EXPECT_THAT(boxes.sandboxctl({"list"}).out, AllOf(HasSubstr("paused"), HasSubstr("iB\n")));
  EXPECT_EQ(boxes.sandboxctl({"rm", id}).exit_code, 0);
}

TEST(CliLimits, TimeToLiveMayPauseInPlaceOfKilling) {
  require_cgroup_controller("memory");
  const DetachedBoxes boxes;
  const std::string id = boxes.create({"--ttl", "100ms", "--ttl-action", "pause"});
  json document;
  do {
    document = json::parse(boxes.sandboxctl({"inspect", id}).out);
  } while (document.at("state") != "paused" || document.at("ends") != nullptr);
  EXPECT_EQ(document.at("ttl_action"), "pause");
}

TEST(CliLimits, SandboxWithoutACgroupCannotBePaused) {
  const DetachedBoxes boxes;
  const std::string id = boxes.create();
  const Ended end = boxes.sandboxctl({"pause", id});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("create it with a limit"));
  EXPECT_EQ(json::parse(boxes.sandboxctl({"stats", "--json", id}).out).at("memory_bytes"), nullptr);
}

TEST(CliLimits, RunWithoutLimitsNeedsNoCgroup) {
  EXPECT_EQ(sandboxctl({"run", "--", "true"}).exit_code, 0);
}

}  // namespace
}  // namespace sandbox::test
