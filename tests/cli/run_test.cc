// sandboxctl run: exit codes, streams and what is left behind.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

// Sandboxes of root run as somebody else, who must get at the layers in the data directory.
constexpr auto kReachable = std::filesystem::perms(0711);

// Each test has a data directory of its own, and must leave nothing in it, nor a process or mount.
class Run : public ::testing::Test {
 protected:
  void SetUp() override {
    require_user_namespaces();
    std::filesystem::permissions(home_.path(), kReachable);
  }

  ProgramSetup at_home(ProgramSetup setup = {}) const {
    setup.env.emplace("SANDBOX_HOME", home_.path());
    return setup;
  }
  Ended run(Words words, const std::string& input = {}, const ProgramSetup& setup = {}) const {
    words.insert(words.begin(), "run");
    return sandboxctl(words, input, at_home(setup));
  }
  Ended shell(const std::string& line) const { return run({"--", "/bin/sh", "-c", line}); }

 private:
  TempDir home_;
  LeakCheck nothing_left_;
};

void expect_failure(const Ended& end, int exit_code, const std::string& text) {
  EXPECT_EQ(end.exit_code, exit_code);
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_THAT(end.err, AllOf(StartsWith("sandboxctl: "), HasSubstr(text)));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
}

TEST_F(Run, StdoutAndStderrAreTheCommandsOwn) {
  const Ended end = shell("echo out; echo err >&2");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.out, "out\n");
  EXPECT_EQ(end.err, "err\n");
}

TEST_F(Run, ExitCodeIsTheCommandsOwn) { EXPECT_EQ(shell("exit 7").exit_code, 7); }

TEST_F(Run, SegmentationFaultIs139) {
  const Ended end = shell("kill -SEGV $$");
  EXPECT_EQ(end.exit_code, 139);
  EXPECT_EQ(end.signal, 0);
}

TEST_F(Run, TimeLimitIs124AndOneLine) {
  expect_failure(run({"--timeout", "200ms", "--", "sleep", "60"}), 124,
                 "sleep: time limit of 200 ms reached");
}

TEST_F(Run, MissingProgramIs127) {
  expect_failure(run({"--", "nosuch"}), 127, "nosuch: No such file or directory");
}

TEST_F(Run, FileThatIsNotExecutableIs126) {
  expect_failure(run({"--", "/etc/passwd"}), 126, "/etc/passwd: Permission denied");
}

TEST_F(Run, UnknownTemplateIs125) { expect_failure(run({"-T", "nosuch", "true"}), 125, "nosuch"); }

TEST_F(Run, MissingTemplateDirectoryIs125) {
  expect_failure(run({"-T", "dir:/nosuch", "true"}), 125, "/nosuch");
}

TEST_F(Run, MissingWorkingDirectoryIs125) {
  expect_failure(run({"-w", "/nosuch", "true"}), 125, "/nosuch");
}

TEST_F(Run, UnknownUserIs125) { expect_failure(run({"-u", "nosuch", "true"}), 125, "nosuch"); }

TEST_F(Run, MissingMountSourceIs125) {
  expect_failure(run({"-v", "/nosuch:/mnt", "true"}), 125, "/nosuch");
}

TEST_F(Run, UnreadableMountSourceIs125) {
  require_unprivileged();
  const TempDir locked = TempDir::with({{"inner/file", "x"}});
  std::filesystem::permissions(locked.path(), std::filesystem::perms::none);
  expect_failure(run({"-v", locked.path("inner") + ":/mnt", "true"}), 125, locked.path());
}

TEST_F(Run, EnvironmentOfThreeMebibytesIs125) {
  const TempDir directory = TempDir::with({{"env", "A=" + std::string(3 << 20, 'x')}});
  expect_failure(run({"--env-file", directory.path("env"), "true"}), 125, "");
}

TEST_F(Run, NulInEnvironmentFileIs125) {
  const TempDir directory = TempDir::with({{"env", std::string("A=1\0002\n", 6)}});
  expect_failure(run({"--env-file", directory.path("env"), "true"}), 125, "env:1: a NUL byte");
}

TEST_F(Run, EnvironmentIsWhatWasGiven) {
  const TempDir directory = TempDir::with({{"env", "A=file\nB=file\n"}});
  const Ended end = run({"--env-file", directory.path("env"), "-e", "B=argument", "-e", "OWN", "--",
                         "/bin/sh", "-c", "echo $A $B $OWN $SECRET"},
                        "", {.env = {{"OWN", "mine"}, {"SECRET", "leaked"}}});
  EXPECT_EQ(end.out, "file argument mine\n");
}

TEST_F(Run, ArgumentsAreUntouched) {
  EXPECT_EQ(run({"echo", "--memory", "--", "-i", "", "a b"}).out, "--memory -- -i  a b\n");
}

TEST_F(Run, StdinIsAtEndOfFileUnlessPassed) { EXPECT_EQ(run({"cat"}, "unread").out, ""); }

TEST_F(Run, StdinIsPassedOnRequest) { EXPECT_EQ(run({"-i", "cat"}, "read").out, "read"); }

TEST_F(Run, SlowStdinDoesNotHoldUpOutput) {
  Program program({"run", "-i", "--", "/bin/sh", "-c", "echo ready; cat"}, at_home());
  program.await_stdout("ready");
  program.write_stdin("more");
  EXPECT_EQ(program.wait().out, "ready\nmore");
}

TEST_F(Run, CommandMayLeaveStdinUnread) {
  Program program({"run", "-i", "--", "true"}, at_home());
  program.write_stdin(std::string(1 << 20, 'x'));
  EXPECT_EQ(program.wait().exit_code, 0);
}

TEST_F(Run, ClosedStdinIsAFailureWhenItIsToBePassed) {
  expect_failure(run({"-i", "cat"}, "", {.closed_fds = {0}}), 125, "stdin: Bad file descriptor");
}

TEST_F(Run, ClosedStdinDoesNotMatterOtherwise) {
  EXPECT_EQ(run({"echo", "x"}, "", {.closed_fds = {0}}).out, "x\n");
}

TEST_F(Run, ClosedStdoutIsAFailureOnlyForOutput) {
  EXPECT_EQ(run({"true"}, "", {.closed_fds = {1}}).exit_code, 0);
  expect_failure(run({"echo", "x"}, "", {.closed_fds = {1}}), 125, "stdout: Bad file descriptor");
}

TEST_F(Run, FullDiskIs125) {
  expect_failure(run({"echo", "x"}, "", {.stdout_path = "/dev/full"}), 125,
                 "stdout: No space left on device");
}

TEST_F(Run, ReaderThatLeavesEndsTheCommandBySigpipe) {
  Program program({"run", "--", "yes"}, at_home());
  program.await_stdout("y\n");
  program.close_stdout();
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 141);
  EXPECT_THAT(end.err, IsEmpty());
}

TEST_F(Run, LargeOutputPassesWhole) {
  const Ended end = shell("head -c 20000000 /dev/zero; head -c 3000000 /dev/zero >&2");
  EXPECT_EQ(end.out.size(), 20'000'000U);
  EXPECT_EQ(end.err.size(), 3'000'000U);
}

TEST_F(Run, DaemonDoesNotHoldUpTheEnd) {
  const Ended end = shell("echo first; sleep 60 & echo last");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.out, "first\nlast\n");
}

TEST_F(Run, MountIsReadWriteOrReadOnly) {
  const TempDir shared = TempDir::with({{"file", "from host"}});
  std::filesystem::permissions(shared.path(), std::filesystem::perms::all);
  EXPECT_EQ(run({"-v", shared.path() + ":/mnt/x:ro", "--", "cat", "/mnt/x/file"}).out, "from host");
  EXPECT_NE(run({"-v", shared.path() + ":/mnt/x:ro", "--", "touch", "/mnt/x/new"}).exit_code, 0);
  EXPECT_EQ(run({"-v", shared.path() + ":/mnt/x", "--", "touch", "/mnt/x/new"}).exit_code, 0);
  EXPECT_TRUE(shared.exists("new"));
}

TEST_F(Run, StatisticsGoToStderr) {
  const Ended end = run({"--stats", "--", "echo", "x"});
  EXPECT_EQ(end.out, "x\n");
  EXPECT_THAT(end.err,
              AllOf(HasSubstr("wall time"), HasSubstr("peak memory"), HasSubstr("set-up")));
}

TEST_F(Run, JsonIsOneDocument) {
  const Ended end = run({"--json", "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_THAT(end.err, IsEmpty());
  const json document = json::parse(end.out);
  EXPECT_EQ(document["outcome"], (json{{"kind", "exited"}, {"code", 3}}));
  EXPECT_EQ(document["exit_code"], 3);
  EXPECT_EQ(document["stdout"], "out\n");
  EXPECT_EQ(document["stderr"], "err\n");
  EXPECT_EQ(document["dropped_bytes"], 0);
  EXPECT_GT(document["usage"]["peak_memory_bytes"], 0);
  EXPECT_FALSE(document["setup"].empty());
  EXPECT_FALSE(document["isolation"].empty());
}

TEST_F(Run, JsonEscapesWhatIsNotUtf8) {
  const json document = json::parse(run({"--json", "printf", "\\377\\\\"}).out);
  EXPECT_EQ(document["stdout"], "\\xff\\\\");
  EXPECT_EQ(document["stdout_encoding"], "escaped");
  EXPECT_EQ(document["stderr_encoding"], "utf-8");
}

TEST_F(Run, JsonHasNoRawTerminalSequences) {
  const Ended end = run({"--json", "printf", "\\033]0;x\\302\\233"});
  EXPECT_THAT(end.out, AllOf(HasSubstr("\\u001b"), HasSubstr("\\u009b")));
}

TEST_F(Run, JsonKeepsABoundedPartAndCountsTheRest) {
  const json document = json::parse(run({"--json", "head", "-c", "20000000", "/dev/zero"}).out);
  EXPECT_EQ(document["stdout"].get<std::string>().size(), 16U << 20);
  EXPECT_EQ(document["dropped_bytes"], 20'000'000 - (16 << 20));
}

TEST_F(Run, JsonTellsSignalsAndTimeLimits) {
  const json killed = json::parse(run({"--json", "/bin/sh", "-c", "kill -9 $$"}).out);
  EXPECT_EQ(killed["outcome"]["kind"], "signaled");
  EXPECT_EQ(killed["outcome"]["name"], "SIGKILL");
  const json late = json::parse(run({"--json", "--timeout", "100ms", "sleep", "60"}).out);
  EXPECT_EQ(late["outcome"]["kind"], "timed_out");
}

TEST_F(Run, JsonTellsWhyNothingRan) {
  const Ended end = run({"--json", "--", "nosuch"});
  EXPECT_EQ(end.exit_code, 127);
  const json document = json::parse(end.out);
  EXPECT_EQ(document["outcome"]["kind"], "failed");
  EXPECT_EQ(document["outcome"]["subject"], "nosuch");
  EXPECT_EQ(document["exit_code"], 127);
}

}  // namespace
}  // namespace sandbox::test
