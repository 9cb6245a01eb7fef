// Signals that reach sandboxctl run: the first is the command's, the second ends us.

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "tests/cli/program.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;

class Signals : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    require_user_namespaces();
    // Sandboxes of root run as somebody else, who must get at the layers in the data directory.
    std::filesystem::permissions(home_.path(), std::filesystem::perms(0711));
  }

  ProgramSetup setup() const { return {.env = {{"SANDBOX_HOME", home_.path()}}}; }

 private:
  TempDir home_;
  LeakCheck nothing_left_;
};

TEST_P(Signals, FirstReachesTheCommand) {
  Program program({"run", "--", "/bin/sh", "-c",
                   "trap 'echo caught; exit 9' INT TERM HUP QUIT; echo ready; "
                   "while :; do sleep 0.05; done"},
                  setup());
  program.await_stdout("ready");
  program.signal(GetParam());
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 9);
  EXPECT_THAT(end.out, HasSubstr("caught"));
}

TEST_P(Signals, CommandThatDiesOfItTakesUsAlong) {
  Program program({"run", "--", "/bin/sh", "-c", "echo ready; exec sleep 60"}, setup());
  program.await_stdout("ready");
  program.signal(GetParam());
  EXPECT_EQ(program.wait().signal, GetParam());
}

TEST_P(Signals, SecondEndsUsWhateverTheCommandDoes) {
  Program program(
      {"run", "--", "/bin/sh", "-c",
       "trap 'echo caught' INT TERM HUP QUIT; echo ready; while :; do sleep 0.05; done"},
      setup());
  program.await_stdout("ready");
  program.signal(GetParam());
  program.await_stdout("caught");
  program.signal(GetParam());
  EXPECT_EQ(program.wait().signal, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Run, Signals, ::testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT));

TEST_F(Signals, BlockedReaderDoesNotHoldUpASignal) {
  Program program({"run", "--", "yes"}, setup());
  program.await_stdout("y\n");  // And then read no more, so that every pipe fills.
  program.signal(SIGTERM);
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait().signal, SIGTERM);
}

TEST_F(Signals, KilledSandboxctlLeavesNoSandbox) {
  Program program({"run", "--", "/bin/sh", "-c", "echo ready; sleep 60"}, setup());
  program.await_stdout("ready");
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().signal, SIGKILL);
}

}  // namespace
}  // namespace sandbox::test
