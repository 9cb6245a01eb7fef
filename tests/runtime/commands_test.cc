#include "sandbox/commands.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include "tests/runtime/box.h"
#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using namespace std::chrono_literals;
using test::Box;
using test::FailsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kNulInside("a\0b", 3);

// The Error of a call that must throw one.
Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {0, "", ""};
}

// A program at /home/user/program with this content.
void make_program(const Box& box, const std::string& content, const std::string& mode = "0755") {
  box.files().write("/home/user/program", content);
  box.out("chmod " + mode + " /home/user/program");
}

TEST(Commands, ExitCodeIsTheCommandsOwn) {
  const Box box;
  for (const int code : {0, 1, 7, 125, 255}) {
    const CommandResult result = box.sh("exit " + std::to_string(code));
    EXPECT_EQ(result.outcome, Outcome(Exited{code}));
    EXPECT_EQ(result.exit_code(), code);
  }
}

TEST(Commands, SegfaultIsASignalAndAShellWouldSay139) {
  const Box box;
  const CommandResult result = box.sh("kill -SEGV $$");
  EXPECT_EQ(result.outcome, Outcome(Signaled{SIGSEGV, false}));
  EXPECT_EQ(result.exit_code(), 139);
}

TEST(Commands, ExitCodeAbove128IsNoSignal) {
  const Box box;
  EXPECT_EQ(box.sh("exit 139").outcome, Outcome(Exited{139}));
}

TEST(Commands, EverySignalThatEndsACommandIsTold) {
  const Box box;
  for (const int signal : {SIGHUP, SIGABRT, SIGKILL, SIGTERM, SIGSYS, SIGRTMIN + 1}) {
    const CommandResult result = box.sh("kill -" + std::to_string(signal) + " $$");
    EXPECT_EQ(result.outcome, Outcome(Signaled{signal, false})) << signal;
    EXPECT_EQ(result.exit_code(), 128 + signal);
  }
}

TEST(Commands, StreamsAreKeptApart) {
  const Box box;
  const CommandResult result = box.sh("echo out; echo err >&2");
  EXPECT_EQ(result.stdout_text, "out\n");
  EXPECT_EQ(result.stderr_text, "err\n");
}

TEST(Commands, UsageTellsWhatWasUsed) {
  const Box box;
  const Usage usage = box.sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").usage;
  EXPECT_GT(usage.wall, 0us);
  EXPECT_GT(usage.user + usage.system, 0us);
  EXPECT_GT(usage.peak_memory_bytes, 100'000U);
}

// --- What cannot be started.

TEST(Commands, MissingProgramIsEnoentAndNamedAsItWasGiven) {
  const Box box;
  const Error error = error_of([&] { box.commands().run(Command{.argv = {"no-such-program"}}); });
  EXPECT_EQ(error.code().value(), ENOENT);
  EXPECT_STREQ(error.what(), "execve(\"no-such-program\"): No such file or directory");
}

TEST(Commands, UnexecutableFileIsEacces) {
  const Box box;
  make_program(box, "#!/bin/sh\n", "0644");
  EXPECT_THAT([&] { box.commands().run(Command{.argv = {"./program"}}); }, FailsWith(EACCES));
}

TEST(Commands, DirectoryIsEacces) {
  const Box box;
  EXPECT_THAT([&] { box.commands().run(Command{.argv = {"/tmp"}}); }, FailsWith(EACCES));
}

TEST(Commands, FileWithoutKnownFormatIsEnoexecWithAHint) {
  const Box box;
  make_program(box, "neither ELF nor script\n");
  const Error error = error_of([&] { box.commands().run(Command{.argv = {"./program"}}); });
  EXPECT_EQ(error.code().value(), ENOEXEC);
  EXPECT_THAT(error.hint(), HasSubstr("#!"));
}

TEST(Commands, MissingInterpreterIsEnoentWithAHint) {
  const Box box;
  make_program(box, "#!/no/such/interpreter\n");
  const Error error = error_of([&] { box.commands().run(Command{.argv = {"./program"}}); });
  EXPECT_EQ(error.code().value(), ENOENT);
  EXPECT_THAT(error.hint(), HasSubstr("interpreter"));
}

TEST(Commands, MissingProgramHasNoHintAboutAnInterpreter) {
  const Box box;
  const Error error = error_of([&] { box.commands().run(Command{.argv = {"/no/such/program"}}); });
  EXPECT_THAT(error.hint(), Not(HasSubstr("interpreter")));
}

TEST(Commands, EmptyArgvIsInvalid) {
  const Box box;
  EXPECT_THAT([&] { box.commands().start(Command{}); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.commands().start(Command{.argv = {""}}); }, FailsWith(EINVAL));
}

TEST(Commands, NulIsInvalidWhereverItStands) {
  const Box box;
  const Commands commands = box.commands();
  const auto start = [&](const Command& command) {
    return [&commands, command] { Commands(commands).start(command); };
  };
  EXPECT_THAT(start({.argv = {"/bin/echo", kNulInside}}), FailsWith(EINVAL));
  EXPECT_THAT(start({.argv = {kNulInside}}), FailsWith(EINVAL));
  EXPECT_THAT(start({.argv = {"/bin/true"}, .cwd = kNulInside}), FailsWith(EINVAL));
  EXPECT_THAT(start({.argv = {"/bin/true"}, .env = {{kNulInside, "x"}}}), FailsWith(EINVAL));
  EXPECT_THAT(start({.argv = {"/bin/true"}, .env = {{"A", kNulInside}}}), FailsWith(EINVAL));
}

TEST(Commands, UserIsFoundByUidToo) {
  const Box box;
  EXPECT_EQ(box.out("id -un; echo $USER", {.user = "1000"}), "user\nuser\n");
  EXPECT_THAT([&] { box.sh("true", {.user = "1001"}); }, FailsWith(EINVAL));
}

TEST(Commands, UnknownUserIsInvalidWithAHint) {
  const Box box;
  const Error error = error_of(
      [&] { box.commands().start(Command{.argv = {"/bin/true"}, .user = "nobody-knows-me"}); });
  EXPECT_EQ(error.code().value(), EINVAL);
  EXPECT_THAT(error.what(), HasSubstr("nobody-knows-me"));
  EXPECT_THAT(error.hint(), Not(IsEmpty()));
}

TEST(Commands, TimeLimitOfNothingOrLessIsInvalid) {
  const Box box;
  EXPECT_THAT([&] { box.sh("true", {.timeout = 0ms}); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.sh("true", {.timeout = -1ms}); }, FailsWith(EINVAL));
}

TEST(Commands, SandboxGoesOnAfterCommandsThatCouldNotStart) {
  const Box box;
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT([&] { box.commands().run(Command{.argv = {"no-such-program"}}); },
                FailsWith(ENOENT));
  }
  EXPECT_EQ(box.out("ls /proc/1/fd 2>/dev/null; echo fine"), "fine\n");
}

// --- Arguments.

TEST(Commands, ArgumentsArriveAsTheyAre) {
  const Box box;
  const std::string strange = "\xff\xfe \"'\\$HOME\n\t*";
  const CommandResult result =
      box.commands().run(Command{.argv = {"/usr/bin/printf", "<%s>", "", "a b", strange}});
  EXPECT_EQ(result.stdout_text, "<><a b><" + strange + ">");
}

TEST(Commands, HundredKilobytesInOneArgumentArrive) {
  const Box box;
  const std::string large(100'000, 'x');
  const CommandResult result =
      box.commands().run(Command{.argv = {"/usr/bin/printf", "%s", large}});
  EXPECT_TRUE(result.stdout_text == large);
}

TEST(Commands, MoreArgumentsThanTheKernelTakesAreE2big) {
  const Box box;
  Command command{.argv = {"/bin/true"}};
  command.argv.resize(60, std::string(100'000, 'x'));
  command.argv.front() = "/bin/true";
  EXPECT_THAT([&] { box.commands().start(command); }, FailsWith(E2BIG));
  EXPECT_EQ(box.out("echo fine"), "fine\n");
}

TEST(Commands, MoreArgumentsThanAMessageHoldsAreAnErrorOfThisCommandOnly) {
  const Box box;
  Command command{.argv = {"/bin/true", std::string(17 << 20, 'x')}};
  EXPECT_THROW(box.commands().start(command), Error);
  EXPECT_EQ(box.out("echo fine"), "fine\n");
}

TEST(Commands, ProgramIsLookedUpInThePathOfTheCommand) {
  const Box box;
  make_program(box, "#!/bin/sh\necho mine\n");
  const CommandResult result =
      box.commands().run(Command{.argv = {"program"}, .env = {{"PATH", "/bin:/home/user"}}});
  EXPECT_EQ(result.stdout_text, "mine\n");
}

TEST(Commands, ProgramWithASlashIsRelativeToTheCwd) {
  const Box box;
  make_program(box, "#!/bin/sh\necho mine\n");
  EXPECT_EQ(box.commands().run(Command{.argv = {"./program"}}).stdout_text, "mine\n");
  EXPECT_THAT([&] { box.commands().run(Command{.argv = {"./program"}, .cwd = "/tmp"}); },
              FailsWith(ENOENT));
}

// --- Directory.

TEST(Commands, CwdIsTheHomeDirectoryByDefault) {
  const Box box;
  EXPECT_EQ(box.out("pwd"), "/home/user\n");
}

TEST(Commands, RelativeCwdStartsInTheHomeDirectory) {
  const Box box;
  box.files().make_dir("/home/user/project");
  EXPECT_EQ(box.out("pwd", {.cwd = "project"}), "/home/user/project\n");
}

TEST(Commands, MissingCwdIsEnoentAndNamed) {
  const Box box;
  EXPECT_THAT([&] { box.sh("true", {.cwd = "/no/such/directory"}); },
              FailsWith(ENOENT, HasSubstr("/no/such/directory")));
}

TEST(Commands, FileAsCwdIsEnotdir) {
  const Box box;
  EXPECT_THAT([&] { box.sh("true", {.cwd = "/etc/passwd"}); }, FailsWith(ENOTDIR));
}

// --- Environment.

std::string environment_of(const Box& box, const Command& how = {}) {
  Command command = how;
  command.argv = {"/usr/bin/env"};
  return Commands(box.commands()).run(command).stdout_text;
}

TEST(Commands, EnvironmentIsFourVariablesAndNothingOfTheHost) {
  ::setenv("HOST_SECRET", "token", 1);
  ::setenv("LD_DEBUG", "help", 1);
  EXPECT_EQ(environment_of(Box()),
            "HOME=/home/user\n"
            "LANG=C.UTF-8\n"
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "USER=user\n");
  ::unsetenv("LD_DEBUG");
  ::unsetenv("HOST_SECRET");
}

TEST(Commands, LastOneWinsOfDefaultsSandboxAndCommand) {
  const Box box(SandboxOptions{.env = {{"LANG", "sandbox"}, {"A", "sandbox"}, {"B", "sandbox"}}});
  const std::string environment = environment_of(box, {.env = {{"B", "command"}}});
  EXPECT_THAT(environment, AllOf(HasSubstr("LANG=sandbox\n"), HasSubstr("A=sandbox\n"),
                                 HasSubstr("B=command\n"), Not(HasSubstr("B=sandbox"))));
}

TEST(Commands, VariablesOfOneCommandAreNotSeenByTheNext) {
  const Box box;
  EXPECT_THAT(environment_of(box, {.env = {{"TOKEN", "x"}}}), HasSubstr("TOKEN=x"));
  EXPECT_THAT(environment_of(box), Not(HasSubstr("TOKEN")));
}

TEST(Commands, VariableNameMustNotBeEmptyOrHaveAnEqualsSign) {
  const Box box;
  EXPECT_THAT([&] { box.sh("true", {.env = {{"", "x"}}}); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { box.sh("true", {.env = {{"A=B", "x"}}}); }, FailsWith(EINVAL));
}

TEST(Commands, EnvironmentUpTo128KilobytesIsTakenAndMoreIsE2big) {
  const Box box;
  EXPECT_EQ(
      box.sh("true", {.env = {{"A", std::string(65'000, 'x')}, {"B", std::string(65'000, 'x')}}})
          .outcome,
      Outcome(Exited{0}));
  EXPECT_THAT(
      [&] {
        box.sh("true", {.env = {{"A", std::string(3 << 20, 'x')}}});
      },
      FailsWith(E2BIG, HasSubstr("environment")));
}

// --- Lines of shell.

TEST(Commands, LineRunsInALoginShell) {
  Box box;
  EXPECT_EQ(box.commands()
                .run("echo $((6 * 7)) | tr -d '\\n'; shopt -q login_shell && echo login")
                .stdout_text,
            "42login\n");
}

TEST(Commands, LineTakesCwdEnvironmentAndTimeLimit) {
  Box box;
  const Command how{.cwd = "/tmp", .env = {{"NAME", "value"}}, .timeout = 100ms};
  const CommandResult result = box.commands().run("pwd; echo $NAME; exec sleep 1000", how);
  EXPECT_EQ(result.stdout_text, "/tmp\nvalue\n");
  EXPECT_EQ(result.outcome, Outcome(TimedOut{}));
  EXPECT_EQ(result.exit_code(), 124);
}

TEST(Commands, LineAndArgvTogetherAreInvalid) {
  Box box;
  EXPECT_THAT([&] { box.commands().run("true", {.argv = {"/bin/true"}}); }, FailsWith(EINVAL));
}

TEST(Commands, OutputBeyondTheCaptureIsCountedAndDropped) {
  const Box box;
  const CommandResult result = box.sh("head -c 70000000 /dev/zero");
  EXPECT_EQ(result.stdout_text.size(), Commands::kCaptureBytes);
  EXPECT_EQ(result.dropped_bytes, 70'000'000 - Commands::kCaptureBytes);
  EXPECT_EQ(result.outcome, Outcome(Exited{0}));
}

}  // namespace
}  // namespace sandbox
