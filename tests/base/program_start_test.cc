#include "runtime/base/program_start.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "runtime/base/kernel_file.h"
#include "runtime/base/pipe.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using test::FailsWith;

// What `script` prints, with its stdout as the only descriptor passed.
std::string output_of(const std::string& script, ProgramStart start = {}) {
  Pipe pipe = make_pipe();
  start.pass(pipe.writer.get(), STDOUT_FILENO);
  const pid_t pid = start.run("/bin/sh", {"sh", "-c", script});
  pipe.writer.reset();
  start = {};
  std::string text = read_to_end(pipe.reader.get(), "output", 1 << 20);
  ::waitpid(pid, nullptr, 0);
  return text;
}

TEST(ProgramStart, ProgramHasTheDescriptorsItWasGivenOnly) {
  const UniqueFd leaky{::open("/dev/null", O_RDONLY)};  // Without O_CLOEXEC.
  ASSERT_EQ(output_of("[ -e /proc/self/fd/0 ] && echo control"), "control\n");
  EXPECT_EQ(output_of("for fd in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo $fd; done"), "");
}

TEST(ProgramStart, DescriptorsMayTradeNumbers) {
  Pipe pipe = make_pipe();
  ProgramStart start;
  start.pass(pipe.reader.get(), pipe.writer.get());
  start.pass(pipe.writer.get(), pipe.reader.get());
  const std::string line = "echo swapped >&" + std::to_string(pipe.reader.get()) +
                           "; read word <&" + std::to_string(pipe.writer.get()) + "; echo $word";
  EXPECT_EQ(output_of(line, std::move(start)), "swapped\n");
}

TEST(ProgramStart, EnvironmentIsEmpty) {
  ::setenv("SANDBOX_TEST_SECRET", "1", 1);
  EXPECT_EQ(output_of("echo [$SANDBOX_TEST_SECRET]"), "[]\n");
}

TEST(ProgramStart, ShellsWayTakesPathAndEnvironment) {
  ::setenv("SANDBOX_TEST_SECRET", "1", 1);
  Pipe pipe = make_pipe();
  ProgramStart start;
  start.as_shell_does();
  start.pass(pipe.writer.get(), STDOUT_FILENO);
  const pid_t pid = start.run("printenv", {"printenv", "SANDBOX_TEST_SECRET"});
  start = {};
  pipe.writer.reset();
  EXPECT_EQ(read_to_end(pipe.reader.get(), "output", 100), "1\n");
  ::waitpid(pid, nullptr, 0);
  EXPECT_THAT([] { ProgramStart().run("printenv", {"printenv"}); }, FailsWith(ENOENT));
}

TEST(ProgramStart, IgnoredAndBlockedSignalsAreAsInANewProgram) {
  const test::ChildEnd end = test::in_child([] {
    std::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    return output_of("kill -TERM $$; echo survived");
  });
  EXPECT_EQ(end.text, "");
}

TEST(ProgramStart, SessionIsNewWhenAskedFor) {
  ProgramStart start;
  start.in_new_session();
  EXPECT_EQ(output_of("[ $(ps -o sid= -p $$) = $$ ] && echo leader", std::move(start)), "leader\n");
  EXPECT_EQ(output_of("[ $(ps -o sid= -p $$) = $$ ] && echo leader"), "");
}

TEST(ProgramStart, MissingProgramIsNamed) {
  EXPECT_THAT([] { ProgramStart().run("/no/such", {"such"}); },
              FailsWith(ENOENT, ::testing::HasSubstr("/no/such")));
}

}  // namespace
}  // namespace sandbox
