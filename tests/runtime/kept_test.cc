// Commands that outlive their starter, and limits that need PID 1 to see the output.

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sandbox/process.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using namespace std::chrono_literals;
using test::await_output;
using test::becomes_true;
using test::Box;
using test::FailsWith;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Command kept(Command how = {}) {
  how.output = Output::Kept;
  return how;
}

std::string output_of(Process& process) {
  std::string text;
  process.stream([&text](Stream, std::string_view chunk) { text += chunk; });
  return text;
}

std::string replay_of(const Box& box, pid_t pid) {
  std::string text;
  box.commands().replay(pid, [&text](Stream, std::string_view chunk) { text += chunk; });
  return text;
}

std::optional<CommandInfo> find(const Box& box, pid_t pid) {
  for (CommandInfo& info : box.commands().list()) {
    if (info.pid == pid) return std::move(info);
  }
  return std::nullopt;
}

bool has_ended(const Box& box, pid_t pid) {
  const auto info = find(box, pid);
  return info && info->state == CommandState::Ended;
}

// Starts it and goes away.
pid_t leave(const Box& box, const std::string& script, Command how = {}) {
  return box.start(script, kept(std::move(how))).pid();
}

// --- Outliving.

TEST(Kept, StartedOneIsAProcessLikeOthers) {
  const Box box;
  Process process = box.start("echo out; echo err >&2; exit 3", kept());
  std::string out;
  std::string err;
  process.stream(
      [&](Stream from, std::string_view chunk) { (from == Stream::Stdout ? out : err) += chunk; });
  EXPECT_EQ(out, "out\n");
  EXPECT_EQ(err, "err\n");
  EXPECT_EQ(process.wait(), Outcome(Exited{3}));
  EXPECT_GT(process.usage().wall, 0us);
}

TEST(Kept, OutlivesItsProcessObject) {
  const Box box;
  const pid_t pid = leave(box, "echo before; read line; echo after", {.input = Stdin::Pipe});
  Process again = box.commands().connect(pid);
  EXPECT_TRUE(again.write_stdin("go\n"));
  EXPECT_EQ(output_of(again), "before\nafter\n");
  EXPECT_EQ(again.wait(), Outcome(Exited{0}));
}

TEST(Kept, OutputAndOutcomeAreThereAfterTheEnd) {
  const Box box;
  const pid_t pid = leave(box, "echo all of it; exit 9");
  ASSERT_TRUE(becomes_true([&] { return has_ended(box, pid); }));
  EXPECT_EQ(replay_of(box, pid), "all of it\n");
  Process late = box.commands().connect(pid);
  EXPECT_EQ(output_of(late), "all of it\n");
  EXPECT_EQ(late.wait(), Outcome(Exited{9}));
}

TEST(Kept, ConnectingByTagFindsTheNewest) {
  const Box box;
  leave(box, "echo old; exec sleep 1000", {.tag = "worker"});
  leave(box, "echo new", {.tag = "worker"});
  leave(box, "echo other", {.tag = "other"});
  Process process = box.commands().connect("worker");
  EXPECT_EQ(output_of(process), "new\n");
  EXPECT_THAT([&] { box.commands().connect("nobody"); }, FailsWith(ESRCH, HasSubstr("nobody")));
}

TEST(Kept, ConnectingFromAnOffsetSkips) {
  const Box box;
  const pid_t pid = leave(box, "printf 0123456789");
  ASSERT_TRUE(becomes_true([&] { return has_ended(box, pid); }));
  Process process = box.commands().connect(pid, {.stdout_from = 7});
  EXPECT_EQ(output_of(process), "789");
  EXPECT_THAT([&] { box.commands().connect(pid, {.stdout_from = 11}); }, FailsWith(EINVAL));
}

TEST(Kept, TwoProcessesSeeTheSame) {
  const Box box;
  Process first = box.start("read line; seq 100000", kept({.input = Stdin::Pipe}));
  Process second = box.commands().connect(first.pid());
  second.write_stdin("go\n");
  std::string seen;
  std::thread reader([&] { seen = output_of(second); });
  const std::string expected = output_of(first);
  reader.join();
  EXPECT_EQ(expected.size(), 588895U);
  EXPECT_TRUE(seen == expected);
}

TEST(Kept, WaitingWithoutReadingEnds) {
  const Box box;
  Process process = box.start("head -c 3000000 /dev/zero", kept());
  EXPECT_EQ(process.wait(), Outcome(Exited{0}));
  uint64_t bytes = 0;
  uint64_t missing = 0;
  process.stream([&](Stream, std::string_view chunk) { bytes += chunk.size(); },
                 [&](const OutputGap& gap) { missing += gap.bytes; });
  EXPECT_EQ(bytes + missing, 3'000'000U);
  EXPECT_EQ(process.lost_bytes(Stream::Stdout), missing);
  EXPECT_GE(bytes, 1U << 20);
}

TEST(Kept, GapStandsBetweenWhatIsThere) {
  const Box box;
  Process process = box.start("seq 1000000", kept());
  process.wait();
  std::string text;
  process.stream([&](Stream, std::string_view chunk) { text += chunk; },
                 [&](const OutputGap& gap) {
                   EXPECT_EQ(gap.offset, text.size());
                   text.append(gap.bytes, '?');
                 });
  EXPECT_EQ(text.size(), 6'888'896U);
  EXPECT_TRUE(text.starts_with("1\n2\n3\n"));
  EXPECT_TRUE(text.ends_with("?") || text.ends_with("\n999999\n1000000\n"));
  EXPECT_NE(text.find('?'), std::string::npos);
}

// 2.7 MB; a ring and a pipe hold 1.1.
constexpr const char* kMoreThanARing = "read line; stty -opost; seq 400000; read line";

TEST(Kept, TerminalWaitsForWhoTypesInIt) {
  const Box box;
  Process process = box.start(kMoreThanARing, kept({.terminal = TerminalSize{}}));
  process.write_stdin("go\n");
  // PID 1 has read what it may, and the program is held up.
  EXPECT_TRUE(becomes_true([&] { return find(box, process.pid())->stdout_bytes > 1 << 20; }));
  process.write_stdin("\n");
  const std::string text = output_of(process);
  EXPECT_THAT(text, HasSubstr("\n399999\n400000\n"));
  EXPECT_EQ(process.lost_bytes(Stream::Stdout), 0U);
  EXPECT_GT(text.size(), std::size_t{2'688'895});
}

TEST(Kept, TerminalDoesNotWaitForWhoOnlyWatches) {
  const Box box;
  const pid_t pid = leave(box, kMoreThanARing, {.terminal = TerminalSize{}});
  Process watching = box.commands().connect(pid, {.input = Stdin::Empty});
  box.commands().connect(pid).write_stdin("go\n\n");
  EXPECT_TRUE(becomes_true([&] { return has_ended(box, pid); }));
  EXPECT_EQ(watching.wait(), Outcome(Exited{0}));
}

TEST(Kept, StdinEndsWhenItIsClosed) {
  const Box box;
  Process process = box.start("wc -c", kept({.input = Stdin::Pipe}));
  process.write_stdin(std::string(200'000, 'x'));
  process.close_stdin();
  EXPECT_EQ(output_of(process), "200000\n");
}

TEST(Kept, StdinOfOneThatDoesNotReadIsNotWaitedFor) {
  const Box box;
  Process process = box.start("exec sleep 1000", kept({.input = Stdin::Pipe}));
  const std::string data(1 << 20, 'x');
  const auto taken = process.try_write_stdin(data);
  ASSERT_TRUE(taken.has_value());
  EXPECT_GT(*taken, 0U);
  EXPECT_LT(*taken, data.size());
  EXPECT_EQ(process.try_write_stdin(data, 1ms), std::optional<std::size_t>(0));
  process.kill();
  process.wait();
  EXPECT_EQ(process.try_write_stdin(data), std::nullopt);
}

// --- What there is.

TEST(Commands, ListTellsWhatWasStarted) {
  const Box box;
  const Process piped = box.commands().start(
      {.argv = {"sleep", "1000"}, .cwd = "/tmp", .env = {{"SECRET", "value"}}, .tag = "mine"});
  const auto info = find(box, piped.pid());
  ASSERT_TRUE(info.has_value());
  EXPECT_THAT(info->argv, ElementsAre("sleep", "1000"));
  EXPECT_EQ(info->cwd, "/tmp");
  EXPECT_THAT(info->env_names, Contains("SECRET"));
  EXPECT_THAT(info->env_names, ::testing::Not(Contains(HasSubstr("value"))));
  EXPECT_EQ(info->tag, "mine");
  EXPECT_EQ(info->output, Output::Piped);
  EXPECT_EQ(info->state, CommandState::Running);
  EXPECT_EQ(info->outcome, std::nullopt);
}

TEST(Commands, ListTellsStatesAndOutcomes) {
  const Box box;
  const pid_t running = leave(box, "exec sleep 1000");
  const pid_t stopped = leave(box, "exec sleep 1000");
  const pid_t ended = leave(box, "printf 12345; exit 7");
  box.commands().kill(stopped, SIGSTOP);
  ASSERT_TRUE(becomes_true([&] { return has_ended(box, ended); }));
  EXPECT_EQ(find(box, running)->state, CommandState::Running);
  EXPECT_TRUE(becomes_true([&] { return find(box, stopped)->state == CommandState::Stopped; }));
  EXPECT_EQ(find(box, ended)->outcome, Outcome(Exited{7}));
  EXPECT_EQ(find(box, ended)->stdout_bytes, 5U);
  EXPECT_EQ(find(box, ended)->output, Output::Kept);
}

TEST(Commands, EndedOneThatWasNotKeptIsNotListed) {
  const Box box;
  Process process = box.start("true");
  process.wait();
  EXPECT_THAT(box.commands().list(), IsEmpty());
}

TEST(Commands, LongArgumentListsAreCut) {
  const Box box;
  const std::vector<std::string> argv(1000, "sleep-sleep-sleep");
  Command command{.argv = {"sh", "-c", "exec sleep 1000"}};
  command.argv.insert(command.argv.end(), argv.begin(), argv.end());
  const Process process = box.commands().start(command);
  std::size_t bytes = 0;
  const auto info = find(box, process.pid());
  for (const std::string& argument : info->argv) bytes += argument.size();
  EXPECT_LE(bytes, CommandInfo::kListedBytes);
}

// --- Signals by pid.

TEST(Commands, KillReachesAnyCommandAndTellsWhetherItWas) {
  const Box box;
  Process process = box.start("exec sleep 1000");
  EXPECT_TRUE(box.commands().kill(process.pid(), SIGUSR1));
  EXPECT_EQ(process.wait(), Outcome(Signaled{SIGUSR1, false}));
  EXPECT_FALSE(box.commands().kill(process.pid()));
  EXPECT_FALSE(box.commands().kill(4'000'000));
  EXPECT_FALSE(box.commands().kill(-1));
}

TEST(Commands, KillOfPidOneOrWithNoSuchSignalIsInvalid) {
  const Box box;
  EXPECT_THAT([&] { box.commands().kill(1); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.commands().kill(2, 99); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.commands().kill(2, 0); }, FailsWith(EINVAL));
  EXPECT_EQ(box.out("echo fine"), "fine\n");
}

TEST(Commands, ConnectingToAPipedOneIsInvalid) {
  const Box box;
  const Process process = box.start("exec sleep 1000");
  EXPECT_THAT([&] { box.commands().connect(process.pid()); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.commands().connect(4'000'000); }, FailsWith(ESRCH));
}

// --- Hostile ones.

constexpr const char* kDaemon =
    "setsid sh -c '(setsid sleep 1000 &)'; "
    "until cat /proc/[0-9]*/comm 2>/dev/null | grep -qx sleep; do :; done; echo started; ";

TEST(Kept, DaemonThatHoldsThePipesKeepsNobodyWaiting) {
  const Box box;
  Process process = box.start(kDaemon, kept());
  EXPECT_EQ(output_of(process), "started\n");
  EXPECT_EQ(process.wait(), Outcome(Exited{0}));
  EXPECT_TRUE(process.left_daemons());
  EXPECT_TRUE(box.runs("sleep"));
}

TEST(Kept, TreeOfAnEndedOneCanBeKilled) {
  const Box box;
  const pid_t pid = leave(box, kDaemon);
  ASSERT_TRUE(becomes_true([&] { return has_ended(box, pid); }));
  ASSERT_TRUE(box.runs("sleep"));
  EXPECT_FALSE(box.commands().kill(pid, SIGKILL, Target::Process));
  EXPECT_TRUE(box.commands().kill(pid, SIGKILL, Target::Tree));
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
  EXPECT_FALSE(box.commands().kill(pid, SIGKILL, Target::Tree));
}

TEST(Kept, FloodHoldsUpNobodyElse) {
  const Box box;
  const pid_t flood = leave(box, "yes");
  const Process asleep = box.commands().connect(flood);
  ASSERT_TRUE(becomes_true([&] { return find(box, flood)->stdout_bytes > 16U << 20; }));
  EXPECT_EQ(box.out("echo fine"), "fine\n");
  Process awake = box.commands().connect(flood, {.stdout_from = find(box, flood)->stdout_bytes});
  await_output(awake, "y\ny\n");
  EXPECT_TRUE(box.commands().kill(flood));
  EXPECT_EQ(awake.wait(), Outcome(Signaled{SIGKILL, false}));
}

TEST(Kept, OneThatClosesItsOutputRunsOn) {
  const Box box;
  Process process =
      box.start("echo last; exec >&- 2>&-; read line; exit 4", kept({.input = Stdin::Pipe}));
  await_output(process, "last");
  EXPECT_FALSE(process.wait_for(0ms).has_value());
  process.write_stdin("go\n");
  EXPECT_EQ(output_of(process), "");
  EXPECT_EQ(process.wait(), Outcome(Exited{4}));
}

TEST(Kept, StoppedOneIsKilledByItsTimeLimit) {
  const Box box;
  Process process = box.start("kill -STOP $$", kept({.timeout = 50ms}));
  EXPECT_EQ(process.wait(), Outcome(TimedOut{}));
}

TEST(Kept, TimeLimitTakesAForkingTreeAlong) {
  const Box box;
  Process process = box.start(std::string(kDaemon) + "while :; do (setsid sleep 1000 &); done",
                              kept({.timeout = 1500ms}));
  EXPECT_EQ(process.wait(), Outcome(TimedOut{}));
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
}

// --- Limits of output and silence.

TEST(OutputLimit, ExcessKillsTheTree) {
  const Box box;
  const CommandResult result = box.sh(std::string(kDaemon) + "yes", {.max_output = 100'000});
  EXPECT_EQ(result.outcome, Outcome(OutputLimit{100'000}));
  EXPECT_EQ(result.stdout_text.size(), 100'000U);
  EXPECT_GT(result.dropped_bytes, 0U);
  EXPECT_EQ(result.exit_code(), 137);
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
}

TEST(OutputLimit, OutputUpToTheLimitIsNotTouched) {
  const Box box;
  const CommandResult result = box.sh("printf 12345; printf 1234 >&2", {.max_output = 5});
  EXPECT_EQ(result.outcome, Outcome(Exited{0}));
  EXPECT_EQ(result.stdout_text, "12345");
  EXPECT_EQ(result.dropped_bytes, 0U);
}

TEST(OutputLimit, HeadIsDelivered) {
  const Box box;
  const CommandResult result = box.sh("printf 0123456789; printf abc; exit 2",
                                      {.max_output = 8, .on_excess = OnExcess::KeepHead});
  EXPECT_EQ(result.outcome, Outcome(Exited{2}));
  EXPECT_EQ(result.stdout_text, "01234567");
  EXPECT_EQ(result.dropped_bytes, 5U);
}

TEST(OutputLimit, TailIsDelivered) {
  const Box box;
  const CommandResult result =
      box.sh("seq 100000; exit 2", {.max_output = 13, .on_excess = OnExcess::KeepTail});
  EXPECT_EQ(result.outcome, Outcome(Exited{2}));
  EXPECT_EQ(result.stdout_text, "99999\n100000\n");
  EXPECT_EQ(result.dropped_bytes, 588895U - 13U);
}

TEST(OutputLimit, BelowItEverythingComesThroughExactly) {
  const Box box;
  const CommandResult result = box.sh("seq 2000000", {.max_output = 64 << 20});
  EXPECT_EQ(result.outcome, Outcome(Exited{0}));
  EXPECT_EQ(result.stdout_text.size(), 14'888'896U);
  EXPECT_TRUE(result.stdout_text.ends_with("\n2000000\n"));
  EXPECT_EQ(result.dropped_bytes, 0U);
}

TEST(OutputLimit, OfZeroOrATailThatIsTooLongIsInvalid) {
  const Box box;
  EXPECT_THAT([&] { box.sh("true", {.max_output = 0}); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.sh("true", {.max_output = 17 << 20, .on_excess = OnExcess::KeepTail}); },
              FailsWith(EINVAL));
}

TEST(OutputLimit, CommandThatIsNotKeptEndsWithItsProcess) {
  const Box box;
  { const Process process = box.start("exec sleep 1000", {.max_output = 1000}); }
  EXPECT_TRUE(becomes_true([&] { return !box.runs("sleep"); }));
  EXPECT_THAT(box.commands().list(), IsEmpty());
}

// Burns CPU time in children that live for a moment each, of which nobody waits for any: with
// SIGCHLD ignored the kernel reaps them itself and adds their time nowhere.
constexpr const char* kEvader = R"(
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        end = time.monotonic() + %s
        while time.monotonic() < end: pass
        os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
)";

Command evader(const char* lifetime, std::chrono::milliseconds limit) {
  std::string script = kEvader;
  script.replace(script.find("%s"), 2, lifetime);
  return {.argv = {"python3", "-c", script}, .timeout = 30s, .cpu_time = limit};
}

TEST(CpuLimit, EndsACommandThatBurns) {
  const Box box;
  const CommandResult result = box.sh("while :; do :; done", {.timeout = 30s, .cpu_time = 200ms});
  EXPECT_EQ(result.outcome, Outcome(TimedOut{TimeLimit::Cpu}));
  EXPECT_GE(result.usage.user + result.usage.system, 150ms);
  EXPECT_EQ(result.exit_code(), 124);
}

TEST(CpuLimit, SleepCostsNothing) {
  const Box box;
  EXPECT_EQ(box.sh("sleep 0.5", {.cpu_time = 300ms}).outcome, Outcome(Exited{0}));
}

TEST(CpuLimit, ChildrenThatWereWaitedForCount) {
  const Box box;
  EXPECT_EQ(
      box.sh("while :; do /bin/sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done",
             {.timeout = 30s, .cpu_time = 300ms})
          .outcome,
      Outcome(TimedOut{TimeLimit::Cpu}));
}

TEST(CpuLimit, OrphansCount) {
  const Box box;
  EXPECT_EQ(box.sh("while :; do (/bin/sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done' &); "
                   "sleep 0.02; done",
                   {.timeout = 30s, .cpu_time = 300ms})
                .outcome,
            Outcome(TimedOut{TimeLimit::Cpu}));
}

TEST(CpuLimit, ChildrenThatNobodyWaitsForCount) {
  const Box box;
  for (const char* lifetime : {"0.0005", "0.005", "0.05"}) {
    EXPECT_EQ(box.commands().run(evader(lifetime, 300ms)).outcome,
              Outcome(TimedOut{TimeLimit::Cpu}))
        << lifetime;
  }
}

TEST(CpuLimit, ManyShortChildrenWithinItAreNotTouched) {
  const Box box;
  const CommandResult result =
      box.sh("i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done", {.cpu_time = 5s});
  EXPECT_EQ(result.outcome, Outcome(Exited{0}));
}

TEST(IdleLimit, SilenceEndsTheTree) {
  const Box box;
  const CommandResult result = box.sh("echo a; exec sleep 1000", {.idle_timeout = 50ms});
  EXPECT_EQ(result.outcome, Outcome(TimedOut{TimeLimit::Idle}));
  EXPECT_EQ(result.stdout_text, "a\n");
  EXPECT_EQ(result.exit_code(), 124);
}

TEST(IdleLimit, CommandThatPrintsIsNotTouched) {
  const Box box;
  const CommandResult result =
      box.sh("for i in $(seq 25); do sleep 0.1; echo $i >&2; done", {.idle_timeout = 2s});
  EXPECT_EQ(result.outcome, Outcome(Exited{0}));
}

TEST(IdleLimit, HostThatDoesNotReadIsNoSilence) {
  const Box box;
  Process process = box.start("yes", {.idle_timeout = 100ms});
  EXPECT_FALSE(process.wait_for(500ms).has_value());
}

}  // namespace
}  // namespace sandbox
