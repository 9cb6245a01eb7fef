// sandboxctl in a terminal that a person could sit at: run -it and shell, and what they leave.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/cli/program.h"
#include "tests/cli/tmux.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;

// A shell inside whose prompt is `inside> `, which the line itself does not contain.
constexpr const char* kRunShell =
    "$sandboxctl run -it -e PS1='in''side> ' -- bash --norc --noprofile";

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // Between two looks, not a wait.
  }
  return true;
}

class InTerminal : public ::testing::Test {
 protected:
  void SetUp() override {
    require_user_namespaces();
    std::filesystem::permissions(home_.path(), std::filesystem::perms(0711));
    terminal_.emplace(home_.path());
    modes_ = terminal_->modes();
  }

  const Tmux& terminal() const { return *terminal_; }
  void start_shell() const {
    terminal().type_line(kRunShell);
    terminal().await("inside>");
    EXPECT_NE(terminal().modes(), modes_) << "raw while the shell runs";
  }
  void await_end() const {
    EXPECT_TRUE(comes_true([&] { return terminal().foreground() == -1; })) << terminal().screen();
  }
  // Of sandboxctl, as the shell of the host saw it.
  void expect_exit_code(const std::string& code) const {
    await_end();
    terminal().type_line("echo \"exit=$?.\"");
    terminal().await("exit=" + code + ".");
  }
  // The last to restore them is a process that has just noticed the end of another.
  void expect_modes_restored() const {
    await_end();
    EXPECT_TRUE(comes_true([&] { return terminal().modes() == modes_; }))
        << modes_ << "before, and after\n"
        << terminal().modes();
  }

  TempDir home_;
  LeakCheck nothing_left_;
  std::optional<Tmux> terminal_;
  std::string modes_;
};

TEST_F(InTerminal, RunHasItsSize) {
  start_shell();
  terminal().type_line("stty size");
  terminal().await("30 100");
  terminal().resize(80, 20);
  EXPECT_TRUE(comes_true([&] {
    terminal().type_line("stty size");
    return terminal().screen().find("20 80") != std::string::npos;
  }));
  terminal().type_line("exit");
}

TEST_F(InTerminal, PagerShowsStopsGoesOnAndFollowsTheSize) {
  require_program("less");
  start_shell();
  terminal().type_line("seq 500 > numbers; less numbers");
  terminal().await("\n29\n");
  terminal().resize(90, 40);
  terminal().await("\n39\n");
  terminal().press("C-z");
  terminal().await("Stopped");
  terminal().type_line("fg");
  terminal().type("G");
  terminal().await("\n500\n");
  terminal().type("q");
  terminal().type_line("exit 3");
  expect_exit_code("3");
  terminal().resize(100, 30);
  expect_modes_restored();
}

TEST_F(InTerminal, EditorWritesAFile) {
  require_program("vim");
  start_shell();
  terminal().type_line("vim -u NONE text");
  terminal().await("\n~\n");
  terminal().type("ifrom the editor");
  terminal().press("Escape");
  terminal().type_line(":wq");
  terminal().await("inside>");
  terminal().type_line("clear; cat text");
  terminal().await("from the editor\n");
  terminal().press("C-d");
  expect_exit_code("0");
  expect_modes_restored();
}

TEST_F(InTerminal, CtrlCIsForTheProgramInside) {
  start_shell();
  terminal().type_line("echo wait''ing; sleep 1000");
  terminal().await("waiting");
  terminal().press("C-c");
  terminal().type_line("echo status $?");
  terminal().await("status 130");
  terminal().type_line("exit 5");
  expect_exit_code("5");
}

TEST_F(InTerminal, ModesComeBackWhenTheShellInsideIsKilled) {
  start_shell();
  terminal().type_line("kill -KILL $$");
  expect_exit_code("137");
  expect_modes_restored();
}

TEST_F(InTerminal, ModesComeBackWhenSandboxctlIsToldToEnd) {
  start_shell();
  const pid_t pid = terminal().foreground();
  ASSERT_GT(pid, 0);
  ::kill(pid, SIGTERM);  // For the shell inside, which ignores it.
  ::kill(pid, SIGHUP);
  expect_modes_restored();
}

TEST_F(InTerminal, ModesComeBackWhenSandboxctlIsKilled) {
  start_shell();
  const pid_t pid = terminal().foreground();
  ASSERT_GT(pid, 0);
  ::kill(pid, SIGKILL);
  expect_modes_restored();
}

TEST_F(InTerminal, ModesComeBackWhenItsProcessGroupIsKilled) {
  start_shell();
  const pid_t pid = terminal().foreground();
  ASSERT_GT(pid, 0);
  ::kill(-pid, SIGKILL);
  expect_modes_restored();
}

TEST_F(InTerminal, ModesComeBackWhenTheSandboxIsRemoved) {
  terminal().type_line("id=$($sandboxctl create) && $sandboxctl shell -e PS1='in''side> ' $id");
  terminal().await("inside>");
  EXPECT_NE(terminal().modes(), modes_);
  const Ended list = sandboxctl({"list", "--json"}, {}, {.env = {{"SANDBOX_HOME", home_.path()}}});
  const std::string id = list.out.substr(list.out.find("\"id\": \"") + 7, 12);
  EXPECT_EQ(sandboxctl({"rm", id}, {}, {.env = {{"SANDBOX_HOME", home_.path()}}}).exit_code, 0)
      << list.out;
  expect_exit_code("137");
  expect_modes_restored();
}

TEST_F(InTerminal, EmulatorIsCalmedDown) {
  start_shell();
  terminal().type_line("printf '\\033[?1049h\\033[?25l\\033[?1000h'; kill -KILL $$");
  await_end();
  EXPECT_TRUE(comes_true([&] { return terminal().variable("alternate_on") == "0"; }));
  EXPECT_EQ(terminal().variable("cursor_flag"), "1");
  EXPECT_EQ(terminal().variable("mouse_any_flag"), "0");
}

TEST_F(InTerminal, WithoutInputItIsNotRaw) {
  terminal().type_line("$sandboxctl run -t -- sh -c 'tty; echo rea''dy; sleep 1000'");
  terminal().await("ready");
  EXPECT_EQ(terminal().modes(), modes_);
  terminal().press("C-c");
  expect_exit_code("130");
}

TEST_F(InTerminal, StoppedFromOutsideItLeavesTheTerminalAsItWasAndComesBack) {
  start_shell();
  const pid_t pid = terminal().foreground();
  ASSERT_GT(pid, 0);
  terminal().clear();
  ::kill(pid, SIGTSTP);
  terminal().await("host>");
  EXPECT_EQ(terminal().modes(), modes_);
  terminal().type_line("fg");
  EXPECT_TRUE(comes_true([&] { return terminal().modes() != modes_; }));
  terminal().type_line("echo ba''ck; exit 4");
  terminal().await("back");
  expect_exit_code("4");
  expect_modes_restored();
}

// A `sandboxctl shell`, typed by a person into `$id`.
class InShell : public InTerminal {
 protected:
  void SetUp() override {
    InTerminal::SetUp();
    if (IsSkipped()) return;
    terminal().type_line("id=$($sandboxctl create --name box) && " + shell_);
    terminal().await("inside>");
    terminal().type_line("here=sti''ll; echo $here set");
    terminal().await("still set");  // Keys that were not read yet are for whoever reads next.
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_EQ(ctl({"rm", "--all"}).exit_code, 0);
  }
  Ended ctl(const std::vector<std::string>& words) const {
    return sandboxctl(words, {}, {.env = {{"SANDBOX_HOME", home_.path()}}});
  }
  // The one shell that there is, from another sandboxctl.
  void come_back(const std::string& options = {}) const {
    await_end();
    terminal().clear();
    terminal().type_line("$sandboxctl attach " + options + " box shell");
    terminal().await("inside>");  // It draws itself anew.
    terminal().type_line("echo $here there");
    terminal().await("still there");
  }

  const std::string shell_ = "$sandboxctl shell -e PS1='in''side> ' $id";
};

TEST_F(InShell, DetachKeysLeaveItAndAttachReturns) {
  terminal().press("C-p");
  terminal().press("C-q");
  terminal().await("it runs on");
  expect_exit_code("0");
  expect_modes_restored();
  come_back("--detach-keys ctrl-a,d");
  terminal().press("C-a");
  terminal().type("d");
  terminal().await("it runs on");
  come_back();
  terminal().type_line("exit 6");
  expect_exit_code("6");
  expect_modes_restored();
}

TEST_F(InShell, RunsOnWhenSandboxctlIsKilled) {
  terminal().kill_foreground(SIGKILL);
  expect_modes_restored();
  terminal().resize(80, 20);
  come_back();
  // For a moment it is told another size, so that it draws itself anew.
  terminal().type_line("until stty size | grep -x '20 80'; do :; done");
  terminal().await("\n20 80");
}

TEST_F(InShell, RunsOnWhenTheTerminalCloses) {
  terminal().reopen();
  come_back();
  terminal().press("C-d");
  expect_exit_code("0");
}

TEST_F(InShell, WatchingPassesNoKey) {
  terminal().press("C-p");
  terminal().press("C-q");
  await_end();
  terminal().clear();
  terminal().type_line("$sandboxctl attach --no-stdin box shell");
  terminal().await("inside>");
  EXPECT_EQ(terminal().modes(), modes_);
  terminal().kill_foreground(SIGHUP);
  await_end();
}

TEST(NotInTerminal, TerminalIsAMistakeWithAHint) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run", "-it", "--", "true"},
        {"exec", "-t", "id", "true"},
        {"shell", "id"}}) {
    const Ended end = sandboxctl(words);
    EXPECT_EQ(end.exit_code, 2);
    EXPECT_THAT(end.err, HasSubstr("stdin is not a terminal"));
    EXPECT_THAT(end.err, HasSubstr("hint: "));
  }
}

}  // namespace
}  // namespace sandbox::test
