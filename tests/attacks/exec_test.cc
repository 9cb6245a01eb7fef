// Attacks at the moment when init starts a command.
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <variant>

#include "tests/attacks/attack_box.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

// CVE-2024-21626: a working directory that leads to a descriptor of the runtime.
TEST(ExecAttack, WorkingDirectoryBehindAMagicLinkIsRefused) {
  AttackBox attack;
  Sandbox box = attack.make();
  for (const std::string fd : {"3", "4", "5", "6", "7", "8"}) {
    box.commands().run(command({"ln", "-s", "/proc/self/fd/" + fd, "/tmp/" + fd}));
    EXPECT_THROW(box.commands().run(command({"ls"}, "/tmp/" + fd)), Error) << fd;
  }
  EXPECT_THAT([&] { box.commands().run(command({"ls"}, "/proc/self/root")); }, FailsWith(ELOOP));
}

TEST(ExecAttack, WorkingDirectoryBehindAnOrdinaryLinkWorks) {
  AttackBox attack;
  Sandbox box = attack.make();
  box.commands().run(command({"ln", "-s", "/usr/lib", "/tmp/lib"}));
  EXPECT_EQ(box.commands().run(command({"/bin/pwd", "-P"}, "/tmp/lib")).stdout_text, "/usr/lib\n");
}

// A stop signal cannot be blocked; one that reaches the child between its birth and execve(2) must
// not hold up init, which holds the clocks.
TEST(ExecAttack, StoppingNewCommandsDoesNotStopTheApi) {
  AttackBox attack;
  Sandbox box = attack.make();
  Process stopper = box.commands().start(command({kProbe, "stop-everybody", "60"}, {}, seconds(3)));
  wait_for_word(stopper, "stopping");
  for (int i = 0; i < 20; ++i) {
    try {
      Process victim = box.commands().start(command({"true"}));
      victim.detach();
    } catch (const Error& error) {
      EXPECT_THAT(error.hint(), HasSubstr("stop"));
      break;
    }
  }
  const std::optional<Outcome> end = stopper.wait_for(seconds(20));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(to_string(*end), to_string(Outcome(TimedOut{})));
}

// Between poll(2) and read(2) of the host a process inside takes the byte.
TEST(ExecAttack, DaemonThatReadsItsOwnOutputDoesNotBlockTheHost) {
  AttackBox attack;
  Sandbox box = attack.make();
  for (int i = 0; i < 5; ++i) {
    Process process = box.commands().start(probe_command({"steal-output"}));
    process.stream([](Stream, std::string_view) {});
    EXPECT_TRUE(process.wait_for(seconds(0)).has_value());
  }
}

// proc(5) shows a process whose first thread has ended as a zombie.
TEST(ExecAttack, TimeLimitEndsAProcessWithoutFirstThread) {
  AttackBox attack;
  Sandbox box = attack.make();
  Process headless =
      box.commands().start(command({kProbe, "headless"}, {}, std::chrono::milliseconds(300)));
  const std::optional<Outcome> end = headless.wait_for(seconds(10));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(to_string(*end), to_string(Outcome(TimedOut{})));
}

}  // namespace
}  // namespace sandbox::test
