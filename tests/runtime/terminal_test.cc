// Commands in a terminal of the sandbox.
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using test::becomes_true;
using test::Box;
using test::FailsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

Command in_terminal(const std::string& script, TerminalSize size = {}) {
  return {.argv = {"/bin/sh", "-c", script}, .terminal = size};
}

std::string output_of(const Box& box, const Command& command) {
  return box.commands().run(command).stdout_text;
}

// What a process prints, read piece by piece: for commands that say when they are ready.
class Screen {
 public:
  explicit Screen(const Process& process) : process_(process) {}

  // Reads on until `text` has come behind what was awaited before. Fails the test at the end.
  void await(const std::string& text) {
    while (rest_.find(text) == std::string::npos) {
      ASSERT_TRUE(read_once()) << "no \"" << text << "\" in \"" << rest_ << '"';
    }
    rest_.erase(0, rest_.find(text) + text.size());
  }

 private:
  bool read_once() {
    pollfd output{process_.stdout_fd(), POLLIN, 0};
    if (check(::poll(&output, 1, 20'000), "poll") == 0) return false;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(process_.stdout_fd(), buffer.data(), buffer.size());
    if (got > 0) rest_.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EAGAIN);
  }

  const Process& process_;
  std::string rest_;
};

// A shell with a prompt that nothing else prints.
Process start_shell(const Box& box) {
  return box.commands().start({.argv = {"/bin/bash", "--norc", "--noprofile", "-i"},
                               .env = {{"PS1", "ready> "}},
                               .terminal = TerminalSize{}});
}

TEST(Terminal, IsAllThreeStreamsAndControls) {
  const Box box;
  EXPECT_THAT(output_of(box, in_terminal("tty; tty <&1; tty <&2; echo there > /dev/tty")),
              MatchesRegex("(/dev/pts/0\r\n){3}there\r\n"));
}

TEST(Terminal, BelongsToTheUserOfTheCommand) {
  const Box box;
  EXPECT_EQ(output_of(box, in_terminal("stat -c '%U %a' $(tty); : < $(tty) && echo opened")),
            "user 620\r\nopened\r\n");
}

TEST(Terminal, BelongsToEachUserOfARange) {
  test::require_subordinate_ids();
  if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
  const Box box(SandboxOptions{.ids = Ids::Range});
  for (const char* const user : {"user", "root"}) {
    Command command = in_terminal("stat -c '%U %a' $(tty); : < $(tty) && echo opened");
    command.user = user;
    EXPECT_EQ(output_of(box, command), std::string(user) + " 620\r\nopened\r\n");
  }
}

TEST(Terminal, HasTheSizeThatWasAskedFor) {
  const Box box;
  EXPECT_EQ(output_of(box, in_terminal("stty size", {.cols = 132, .rows = 43})), "43 132\r\n");
}

TEST(Terminal, SaysWhatItIs) {
  const Box box;
  EXPECT_EQ(output_of(box, in_terminal("echo $TERM $LC_ALL")), "xterm-256color C.UTF-8\r\n");
  Command other = in_terminal("echo $TERM");
  other.env = {{"TERM", "dumb"}};
  EXPECT_EQ(output_of(box, other), "dumb\r\n");
}

TEST(Terminal, ResizeReachesTheProgram) {
  const Box box;
  Process process = box.commands().start(
      in_terminal("trap 'stty size; exit' WINCH; echo waiting; while :; do sleep 0.1; done"));
  Screen screen(process);
  screen.await("waiting");
  process.resize({.cols = 99, .rows = 33});
  screen.await("33 99");
  EXPECT_EQ(process.wait(), Outcome(Exited{0}));
}

TEST(Terminal, PipesHaveNoSize) {
  const Box box;
  Process process = box.start("true");
  EXPECT_FALSE(process.has_terminal());
  EXPECT_THAT([&] { process.resize({}); }, FailsWith(ENOTTY));
}

TEST(Terminal, WithoutArgvItIsALoginShell) {
  const Box box;
  Process process = box.commands().start({.terminal = TerminalSize{}});
  process.write_stdin("shopt -q login_shell && echo login; echo $- | grep -o i; exit 3\n");
  std::string output;
  process.stream([&](Stream, std::string_view chunk) { output += chunk; });
  EXPECT_THAT(output, HasSubstr("login\r\ni\r\n"));
  EXPECT_EQ(process.wait(), Outcome(Exited{3}));
}

TEST(Terminal, EverythingThatWasPrintedArrives) {
  const Box box;
  const std::string output = output_of(box, in_terminal("seq 200000"));
  EXPECT_THAT(output, ::testing::EndsWith("\r\n200000\r\n"));
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 200000);
}

TEST(Terminal, CtrlCInterruptsTheForeground) {
  const Box box;
  Process shell = start_shell(box);
  Screen screen(shell);
  screen.await("ready> ");
  shell.write_stdin("sleep 1000\n");
  ASSERT_TRUE(test::becomes_true([&] { return box.runs("sleep"); }));
  shell.write_stdin("\x03");
  screen.await("ready> ");
  shell.write_stdin("exit 5\n");
  EXPECT_EQ(shell.wait(), Outcome(Exited{5}));
}

TEST(Terminal, JobsStopAndGoOn) {
  const Box box;
  Process shell = start_shell(box);
  Screen screen(shell);
  screen.await("ready> ");
  shell.write_stdin("cat\n");
  ASSERT_TRUE(test::becomes_true([&] { return box.runs("cat"); }));
  shell.write_stdin("\x1a");
  screen.await("Stopped");
  screen.await("ready> ");
  shell.write_stdin("fg\n");
  screen.await("cat\r\n");
  shell.write_stdin("echoed\n");
  screen.await("echoed\r\nechoed");
  shell.write_stdin("\x04");
  screen.await("ready> ");
}

TEST(Terminal, CloseStdinTypesCtrlD) {
  const Box box;
  EXPECT_EQ(box.commands().run(in_terminal("cat")).outcome, Outcome(Exited{0}));
}

TEST(Terminal, ClosingItDoesNotHangUp) {
  const Box box;
  Process process =
      box.commands().start(in_terminal("exec > /dev/null 2>&1 < /dev/null; sleep 0.3; exit 4"));
  process.stream([](Stream, std::string_view) {});
  EXPECT_EQ(process.wait(), Outcome(Exited{4}));
}

TEST(Terminal, EndOfTheProcessObjectEndsAllThatRanInIt) {
  const Box box;
  {
    Process shell = start_shell(box);
    Screen screen(shell);
    screen.await("ready> ");
    shell.write_stdin("trap '' HUP; setsid -f sleep 1000; exec sleep 1001\n");
    ASSERT_TRUE(test::becomes_true([&] { return box.runs("sleep"); }));
  }
  EXPECT_TRUE(test::becomes_true([&] { return !box.runs("sleep"); }));
}

TEST(Terminal, WritingAfterTheEndIsFalse) {
  const Box box;
  Process process = box.commands().start(in_terminal("true"));
  process.wait();
  EXPECT_FALSE(process.write_stdin("x"));
}

TEST(Terminal, TimeLimitHolds) {
  const Box box;
  Command command = in_terminal("trap '' INT HUP TERM; sleep 1000");
  command.timeout = std::chrono::milliseconds(200);
  EXPECT_EQ(box.commands().run(command).outcome, Outcome(TimedOut{}));
}

TEST(Terminal, OneThatIsKeptIsReplayedTypedIntoAndResized) {
  const Box box;
  pid_t pid = 0;
  {
    Command command = in_terminal("stty size; read word; echo got $word; stty size; exit 6");
    command.output = Output::Kept;
    const Process first = box.commands().start(command);
    ASSERT_TRUE(first.has_terminal());
    pid = first.pid();
  }
  ASSERT_TRUE(becomes_true([&] {
    std::string so_far;
    box.commands().replay(pid, [&](Stream, std::string_view chunk) { so_far += chunk; });
    return so_far == "24 80\r\n";
  }));
  Process again = box.commands().connect(pid, {.input = Stdin::Pipe});
  again.resize({.cols = 99, .rows = 33});
  again.write_stdin("hello\n");
  std::string output;
  again.stream([&](Stream, std::string_view chunk) { output += chunk; });
  EXPECT_THAT(output, ::testing::StartsWith("24 80\r\n"));
  EXPECT_THAT(output, HasSubstr("got hello\r\n33 99\r\n"));
  EXPECT_EQ(again.wait(), Outcome(Exited{6}));
}

TEST(Terminal, ProgramThatIsNotThereIsAnError) {
  const Box box;
  EXPECT_THAT(
      [&] { box.commands().start({.argv = {"no-such-program"}, .terminal = TerminalSize{}}); },
      FailsWith(ENOENT));
}

}  // namespace
}  // namespace sandbox
