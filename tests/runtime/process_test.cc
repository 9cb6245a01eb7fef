#include "sandbox/process.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include "tests/runtime/box.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using namespace std::chrono_literals;
using test::await_output;
using test::becomes_true;
using test::Box;
using test::FailsWith;
using test::in_child;

// Two forks and a session of its own, as daemon(3) does, then a program named `sleep`. Says
// "started" once it runs.
constexpr const char* kDaemon =
    "setsid sh -c '(setsid sleep 1000 >/dev/null 2>&1 &)'; "
    "until cat /proc/[0-9]*/comm 2>/dev/null | grep -qx sleep; do :; done; echo started; ";

std::string output_of(Process& process) {
  std::string text;
  process.stream([&text](Stream, std::string_view chunk) { text += chunk; });
  return text;
}

// --- Standard input.

TEST(Process, StdinIsAtItsEndByDefault) {
  const Box box;
  EXPECT_EQ(box.out("wc -c"), "0\n");
}

TEST(Process, WhatIsWrittenIsRead) {
  const Box box;
  Process cat = box.start("cat", {.input = Stdin::Pipe});
  EXPECT_TRUE(cat.write_stdin("first "));
  EXPECT_TRUE(cat.write_stdin("second"));
  cat.close_stdin();
  EXPECT_EQ(output_of(cat), "first second");
  EXPECT_EQ(cat.wait(), Outcome(Exited{0}));
}

TEST(Process, MoreThanAPipeHoldsIsWritten) {
  const Box box;
  Process count = box.start("wc -c", {.input = Stdin::Pipe});
  EXPECT_TRUE(count.write_stdin(std::string(4 << 20, 'x')));
  count.close_stdin();
  EXPECT_EQ(output_of(count), "4194304\n");
}

TEST(Process, ClosingStdinTwiceIsFine) {
  const Box box;
  Process cat = box.start("cat", {.input = Stdin::Pipe});
  cat.close_stdin();
  cat.close_stdin();
  EXPECT_EQ(cat.wait(), Outcome(Exited{0}));
}

TEST(Process, WritingWithoutStdinIsEbadf) {
  const Box box;
  Process process = box.start("true");
  EXPECT_THAT([&] { process.write_stdin("x"); }, FailsWith(EBADF));
}

TEST(Process, WritingToACommandThatReadsNoMoreIsFalseAndKillsNobody) {
  test::require_user_namespaces();
  const auto end = in_child([] {
    ::signal(SIGPIPE, SIG_DFL);
    const Box box;
    Process process = box.start("exec <&-; echo closed; exec sleep 1000", {.input = Stdin::Pipe});
    await_output(process, "closed");
    return std::string(process.write_stdin("x") ? "written" : "refused");
  });
  EXPECT_EQ(end.signal, 0);
  EXPECT_EQ(end.text, "refused") << end;
}

// --- Signals.

TEST(Process, PidIsThatInside) {
  const Box box;
  Process process = box.start("echo $$");
  const std::string pid = std::to_string(process.pid());
  EXPECT_EQ(output_of(process), pid + "\n");
}

TEST(Process, SignalReachesTheCommand) {
  const Box box;
  Process process = box.start("trap 'exit 5' TERM; echo ready; while :; do :; done");
  await_output(process, "ready");
  EXPECT_TRUE(process.kill(SIGTERM));
  EXPECT_EQ(process.wait(), Outcome(Exited{5}));
}

TEST(Process, EverySignalCanBeSent) {
  const Box box;
  for (const int signal : {SIGINT, SIGUSR1, SIGKILL, SIGRTMAX}) {
    Process process = box.start("exec sleep 1000");
    EXPECT_TRUE(process.kill(signal));
    EXPECT_EQ(process.wait(), Outcome(Signaled{signal, false})) << signal;
  }
}

TEST(Process, KillingAnEndedCommandIsFalse) {
  const Box box;
  Process process = box.start("true");
  process.wait();
  EXPECT_FALSE(process.kill());
}

TEST(Process, SignalThatDoesNotExistIsInvalid) {
  const Box box;
  Process process = box.start("exec sleep 1000");
  for (const int signal : {-1, 0, 65, 1000}) {
    EXPECT_THAT([&] { process.kill(signal); }, FailsWith(EINVAL)) << signal;
  }
}

TEST(Process, SignalToTheProcessLeavesItsDaemonsAlone) {
  const Box box;
  Process process = box.start(std::string(kDaemon) + "while :; do :; done");
  await_output(process, "started");
  process.kill(SIGKILL, Target::Process);
  process.wait();
  EXPECT_TRUE(box.runs("sleep"));
}

TEST(Process, SignalToTheTreeReachesDaemons) {
  const Box box;
  Process process = box.start(std::string(kDaemon) + "while :; do :; done");
  await_output(process, "started");
  ASSERT_TRUE(box.runs("sleep"));
  process.kill(SIGKILL, Target::Tree);
  EXPECT_EQ(process.wait(), Outcome(Signaled{SIGKILL, false}));
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
}

TEST(Process, SignalToTheTreeLeavesOtherCommandsAlone) {
  const Box box;
  Process other = box.start("exec sleep 1000");
  Process process = box.start("exec sleep 1000");
  process.kill(SIGKILL, Target::Tree);
  process.wait();
  EXPECT_FALSE(other.wait_for(0ms).has_value());
  EXPECT_TRUE(box.runs("sleep"));
}

// --- Waiting.

TEST(Process, WaitGivesTheSameAgain) {
  const Box box;
  Process process = box.start("exit 3");
  EXPECT_EQ(process.wait(), Outcome(Exited{3}));
  EXPECT_EQ(process.wait(), Outcome(Exited{3}));
  EXPECT_EQ(process.wait_for(0ms), Outcome(Exited{3}));
}

TEST(Process, WaitForGivesNothingWhileItRuns) {
  const Box box;
  Process process = box.start("exec sleep 1000");
  EXPECT_FALSE(process.wait_for(0ms).has_value());
  EXPECT_FALSE(process.wait_for(-5ms).has_value());
  EXPECT_FALSE(process.wait_for(1ms).has_value());
  EXPECT_EQ(process.usage().wall, 0us);
}

TEST(Process, WaitForTheLongestTimeWaits) {
  const Box box;
  Process process = box.start("cat", {.input = Stdin::Pipe});
  process.close_stdin();
  EXPECT_EQ(process.wait_for(std::chrono::milliseconds::max()), Outcome(Exited{0}));
}

TEST(Process, StatusDescriptorIsReadableAtTheEndAndNotBefore) {
  const Box box;
  Process process = box.start("cat", {.input = Stdin::Pipe});
  pollfd status{process.status_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&status, 1, 0), 0);
  process.close_stdin();
  EXPECT_EQ(::poll(&status, 1, 20'000), 1);
  EXPECT_EQ(process.wait_for(0ms), Outcome(Exited{0}));
}

TEST(Process, ClosedOutputEndsAWriterBySigpipe) {
  const Box box;
  Process process = box.commands().start(Command{.argv = {"yes"}});
  process.close_output(Stream::Stdout);
  EXPECT_EQ(process.wait(), Outcome(Signaled{SIGPIPE, false}));
}

// --- Time limits.

TEST(Process, TimeLimitEndsTheCommand) {
  const Box box;
  const CommandResult result = box.sh("echo before; exec sleep 1000", {.timeout = 50ms});
  EXPECT_EQ(result.outcome, Outcome(TimedOut{}));
  EXPECT_EQ(result.stdout_text, "before\n");
  EXPECT_EQ(result.exit_code(), 124);
}

TEST(Process, TimeLimitEndsACommandThatIgnoresSignals) {
  const Box box;
  EXPECT_EQ(box.sh("trap '' TERM INT HUP; while :; do :; done", {.timeout = 50ms}).outcome,
            Outcome(TimedOut{}));
}

TEST(Process, TimeLimitEndsDaemonsThatForkedTwice) {
  const Box box;
  const CommandResult result =
      box.sh(std::string(kDaemon) + "while :; do :; done", {.timeout = 2000ms});
  EXPECT_EQ(result.stdout_text, "started\n");
  EXPECT_EQ(result.outcome, Outcome(TimedOut{}));
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
}

TEST(Process, CommandWithinItsTimeLimitIsNotTouched) {
  const Box box;
  EXPECT_EQ(box.sh("exit 4", {.timeout = 60s}).outcome, Outcome(Exited{4}));
}

TEST(Process, LongestTimeLimitIsNoTimeLimit) {
  const Box box;
  EXPECT_EQ(box.sh("exit 4", {.timeout = std::chrono::milliseconds::max()}).outcome,
            Outcome(Exited{4}));
}

TEST(Process, TimeLimitOfOneLeavesTheOthersAlone) {
  const Box box;
  Process other = box.start("exec sleep 1000", {.timeout = 60s});
  EXPECT_EQ(box.sh("exec sleep 1000", {.timeout = 20ms}).outcome, Outcome(TimedOut{}));
  EXPECT_FALSE(other.wait_for(0ms).has_value());
}

// --- Lifetime.

TEST(Process, DestroyedOneTakesItsTreeAlong) {
  const Box box;
  {
    const Process process = box.start(std::string(kDaemon) + "while :; do :; done");
    await_output(process, "started");
  }
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
}

TEST(Process, DetachedOneRunsOn) {
  const Box box;
  {
    Process process = box.start("echo ready; exec sleep 1000");
    await_output(process, "ready");
    process.detach();
  }
  EXPECT_TRUE(becomes_true([&] { return box.runs("sleep"); }));
  EXPECT_EQ(box.out("echo fine"), "fine\n");
  EXPECT_TRUE(box.runs("sleep"));
}

TEST(Process, DaemonOfAnEndedCommandLivesOn) {
  const Box box;
  EXPECT_EQ(box.out(kDaemon), "started\n");
  EXPECT_TRUE(box.runs("sleep"));
}

TEST(Process, MovedOneIsTheSame) {
  const Box box;
  Process first = box.start("cat", {.input = Stdin::Pipe});
  Process second = std::move(first);
  EXPECT_TRUE(second.write_stdin("x"));
  second.close_stdin();
  EXPECT_EQ(output_of(second), "x");
  EXPECT_EQ(second.wait(), Outcome(Exited{0}));
}

TEST(Process, HundredCommandsRunAtOnce) {
  const Box box;
  std::vector<Process> processes;
  for (int i = 0; i < 100; ++i) {
    processes.push_back(box.start("read line; exit $line", {.input = Stdin::Pipe}));
  }
  for (int i = 99; i >= 0; --i) {
    Process& process = processes.at(static_cast<std::size_t>(i));
    process.write_stdin(std::to_string(i) + "\n");
    EXPECT_EQ(process.wait(), Outcome(Exited{i}));
  }
}

}  // namespace
}  // namespace sandbox
