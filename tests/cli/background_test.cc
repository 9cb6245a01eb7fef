// sandboxctl exec -d, ps, logs, attach and kill.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/cli/detached_box.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class Background : public ::testing::Test {
 protected:
  Ended ctl(const std::vector<std::string>& words, const std::string& input = {}) const {
    return boxes_.sandboxctl(words, input);
  }
  // The pid of `script`, started with `options` of exec.
  std::string leave(const std::string& script, std::vector<std::string> options = {}) const {
    std::vector<std::string> words{"exec", "-d"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {id_, "--", "sh", "-c", script});
    const Ended end = ctl(words);
    EXPECT_EQ(end.exit_code, 0) << end.err;
    EXPECT_THAT(end.err, IsEmpty());
    return end.out.substr(0, end.out.find('\n'));
  }
  json listed(const std::string& pid) const {
    const json document = json::parse(ctl({"ps", id_, "--json"}).out);
    for (const json& command : document.at("commands")) {
      if (std::to_string(command.at("pid").get<int>()) == pid) return command;
    }
    return nullptr;
  }
  bool becomes(const std::string& pid, const std::string& state) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      const json command = listed(pid);
      if (!command.is_null() && command.at("state") == state) return true;
    }
    return false;
  }
  bool runs(const std::string& name) const {
    return ctl({"exec", id_, "--", "sh", "-c", "grep -qxs " + name + " /proc/[0-9]*/comm"})
               .exit_code == 0;
  }
  void expect_failure(const std::vector<std::string>& words, int exit_code,
                      const std::string& text) const {
    const Ended end = ctl(words);
    EXPECT_EQ(end.exit_code, exit_code) << end.err;
    EXPECT_THAT(end.out, IsEmpty());
    EXPECT_THAT(end.err, AllOf(StartsWith("sandboxctl: "), HasSubstr(text)));
    EXPECT_TRUE(is_one_line(end.err)) << end.err;
  }

  const DetachedBoxes boxes_;
  const std::string id_ = boxes_.create();
};

TEST_F(Background, ExecPrintsThePidAndNothingElse) {
  const Ended end = ctl({"exec", "-d", id_, "--", "echo", "unheard"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, MatchesRegex("[0-9]+\n"));
  EXPECT_THAT(end.err, IsEmpty());
}

TEST_F(Background, ExecThatCannotStartHasItsCode) {
  expect_failure({"exec", "-d", id_, "no-such-program"}, 127, "no-such-program");
}

TEST_F(Background, PidIsThatInside) {
  const std::string pid = leave("echo $$");
  ASSERT_TRUE(becomes(pid, "ended"));
  EXPECT_EQ(ctl({"logs", id_, pid}).out, pid + "\n");
}

TEST_F(Background, LogsOfARunningOneEnd) {
  const std::string pid = leave("echo one; exec sleep 1000");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  Ended end;
  while (end.out.empty() && std::chrono::steady_clock::now() < deadline) {
    end = ctl({"logs", id_, pid});
  }
  EXPECT_EQ(end.out, "one\n");
  EXPECT_EQ(end.exit_code, 0);
}

TEST_F(Background, LogsKeepStreamsApartAfterTheEnd) {
  const std::string pid = leave("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(becomes(pid, "ended"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"logs", id_, pid}, {"logs", "-f", id_, pid}}) {
    const Ended end = ctl(words);
    EXPECT_EQ(end.out, "out\n");
    EXPECT_EQ(end.err, "err\n");
    EXPECT_EQ(end.exit_code, 0);
  }
}

TEST_F(Background, LogsFollowUntilTheEnd) {
  const std::string pid = leave("echo first; read line; echo last", {"-i"});
  Program logs({"logs", "-f", id_, pid}, boxes_.setup());
  logs.await_stdout("first\n");
  EXPECT_EQ(ctl({"attach", "-i", id_, pid}, "go\n").exit_code, 0);
  const Ended end = logs.wait();
  EXPECT_EQ(end.out, "first\nlast\n");
  EXPECT_EQ(end.exit_code, 0);
}

TEST_F(Background, LogsTellWhatIsMissing) {
  const std::string pid = leave("seq 1000000");
  ASSERT_TRUE(becomes(pid, "ended"));
  const Ended end = ctl({"logs", id_, pid});
  EXPECT_EQ(end.out.size(), 1U << 20);
  EXPECT_TRUE(end.out.ends_with("\n999999\n1000000\n"));
  EXPECT_THAT(end.err, HasSubstr("stdout: " + std::to_string(6888896 - (1 << 20)) + " bytes"));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
}

TEST_F(Background, InterruptedLogsLeaveTheCommandRunning) {
  const std::string pid = leave("echo ready; exec sleep 1000");
  Program logs({"logs", "-f", id_, pid}, boxes_.setup());
  logs.await_stdout("ready\n");
  logs.signal(SIGINT);
  EXPECT_EQ(logs.wait().signal, SIGINT);
  EXPECT_EQ(listed(pid).at("state"), "running");
}

TEST_F(Background, AttachReplaysAndHasTheExitCode) {
  const std::string pid = leave("echo all; exit 9");
  ASSERT_TRUE(becomes(pid, "ended"));
  const Ended end = ctl({"attach", id_, pid});
  EXPECT_EQ(end.out, "all\n");
  EXPECT_EQ(end.exit_code, 9);
}

TEST_F(Background, AttachPassesStdin) {
  const std::string pid = leave("cat", {"-i"});
  const Ended end = ctl({"attach", "-i", id_, pid}, "through\n");
  EXPECT_EQ(end.out, "through\n");
  EXPECT_EQ(end.exit_code, 0);
}

TEST_F(Background, AttachWithoutStdinLeavesItAlone) {
  const std::string pid = leave("echo ready; cat", {"-i"});
  Program watching({"attach", id_, pid}, boxes_.setup());
  watching.await_stdout("ready\n");
  EXPECT_EQ(ctl({"attach", "-i", id_, pid}, "x\n").out, "ready\nx\n");
  EXPECT_EQ(watching.wait().out, "ready\nx\n");
}

TEST_F(Background, AttachForwardsSignals) {
  const std::string pid = leave("trap 'exit 6' INT; echo ready; while :; do sleep 0.01; done");
  Program attach({"attach", id_, pid}, boxes_.setup());
  attach.await_stdout("ready\n");
  attach.signal(SIGINT);
  EXPECT_EQ(attach.wait().exit_code, 6);
}

TEST_F(Background, AttachThatIsHungUpOrToldToLeavesTheCommandRunning) {
  const std::string pid = leave("echo ready; exec sleep 1000");
  Program hung_up({"attach", id_, pid}, boxes_.setup());
  Program told({"attach", "--no-forward", id_, pid}, boxes_.setup());
  Program killed({"attach", id_, pid}, boxes_.setup());
  for (Program* attach : {&hung_up, &told, &killed}) attach->await_stdout("ready\n");
  hung_up.signal(SIGHUP);
  told.signal(SIGTERM);
  killed.signal(SIGKILL);
  EXPECT_EQ(hung_up.wait().signal, SIGHUP);
  EXPECT_EQ(told.wait().signal, SIGTERM);
  EXPECT_EQ(killed.wait().signal, SIGKILL);
  EXPECT_EQ(listed(pid).at("state"), "running");
}

TEST_F(Background, TagStandsForTheNewest) {
  leave("echo old", {"--tag", "job"});
  const std::string pid = leave("echo new", {"--tag", "job"});
  ASSERT_TRUE(becomes(pid, "ended"));
  EXPECT_EQ(ctl({"attach", id_, "job"}).out, "new\n");
}

TEST_F(Background, TagStandsForTheOneThatRuns) {
  leave("read line; echo runs $line", {"-i", "--tag", "job"});
  ASSERT_TRUE(becomes(leave("echo ended", {"--tag", "job"}), "ended"));
  EXPECT_EQ(ctl({"attach", "-i", id_, "job"}, "on\n").out, "runs on\n");
}

TEST_F(Background, PsTellsWhatTheCommandsAre) {
  const std::string pid = leave("exec sleep 1000", {"--tag", "t", "-w", "/tmp", "-e", "K=secret"});
  const json command = listed(pid);
  EXPECT_EQ(command.at("state"), "running");
  EXPECT_EQ(command.at("argv"), json({"sh", "-c", "exec sleep 1000"}));
  EXPECT_EQ(command.at("cwd"), "/tmp");
  EXPECT_EQ(command.at("tag"), "t");
  EXPECT_EQ(command.at("output"), "kept");
  EXPECT_EQ(command.at("tty"), false);
  EXPECT_THAT(command.at("env_names"), ::testing::Contains("K"));
  EXPECT_EQ(command.dump().find("secret"), std::string::npos);
  EXPECT_THAT(ctl({"ps", id_}).out, AllOf(StartsWith("PID"), HasSubstr("sh -c exec sleep 1000")));
}

TEST_F(Background, PsTellsTheOutcome) {
  const std::string pid = leave("exit 7");
  ASSERT_TRUE(becomes(pid, "ended"));
  EXPECT_EQ(listed(pid).at("outcome"), json({{"kind", "exited"}, {"code", 7}}));
  EXPECT_THAT(ctl({"ps", id_}).out, HasSubstr("exited with 7"));
}

TEST_F(Background, PsEscapesWhatACommandIsCalled) {
  leave(": \x1b[31m; exec sleep 1000");
  EXPECT_EQ(ctl({"ps", id_}).out.find('\x1b'), std::string::npos);
}

TEST_F(Background, KillSendsAnySignal) {
  const std::string pid = leave("exec sleep 1000");
  EXPECT_EQ(ctl({"kill", "-s", "STOP", id_, pid}).exit_code, 0);
  EXPECT_TRUE(becomes(pid, "stopped"));
  EXPECT_EQ(ctl({"kill", "-s", "SIGCONT", id_, pid}).exit_code, 0);
  EXPECT_TRUE(becomes(pid, "running"));
  EXPECT_EQ(ctl({"kill", "-s", "10", id_, pid}).exit_code, 0);
  EXPECT_EQ(ctl({"attach", id_, pid}).exit_code, 128 + SIGUSR1);
}

TEST_F(Background, KillOfTheTreeReachesDaemons) {
  const std::string pid =
      leave("(setsid sleep 1000 &); until cat /proc/[0-9]*/comm | grep -qx sleep; do :; done");
  ASSERT_TRUE(becomes(pid, "ended"));
  ASSERT_TRUE(runs("sleep"));
  EXPECT_EQ(ctl({"kill", "-g", "-s", "KILL", id_, pid}).exit_code, 0);
  while (runs("sleep")) {
  }
}

TEST_F(Background, RemovingTheSandboxEndsWhatIsStoppedOrForks) {
  leave("kill -STOP $$");
  leave("while :; do (setsid sleep 1000 &); done");
  EXPECT_EQ(ctl({"rm", id_}).exit_code, 0);  // What is left is told by boxes_.
}

TEST_F(Background, BadWordsAreOneLine) {
  const std::string pid = leave("exit 0");
  ASSERT_TRUE(becomes(pid, "ended"));
  expect_failure({"kill", "-s", "99", id_, pid}, 2, "no such signal");
  expect_failure({"kill", id_, "1"}, 125, "PID 1");
  expect_failure({"kill", id_, pid}, 125, "no such command is running");
  expect_failure({"kill", id_, "4000000"}, 125, "no such command is running");
  expect_failure({"kill", id_, "-1"}, 2, "no such option");
  expect_failure({"kill", id_}, 2, "it takes a sandbox and a command");
  expect_failure({"logs", id_, "4000000"}, 125, "no kept command has this pid");
  expect_failure({"logs", id_, "nobody"}, 125, "neither a pid nor the tag");
  expect_failure({"attach", "-i", id_, pid}, 125, "end of file");
  expect_failure({"ps", "ffffffffffff"}, 125, "there is none");
  expect_failure({"ps"}, 2, "it takes one sandbox");
}

TEST_F(Background, LimitsHaveTheirCodes) {
  const auto exec = [this](const std::vector<std::string>& options, const std::string& script) {
    std::vector<std::string> words{"exec"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {id_, "--", "sh", "-c", script});
    return ctl(words);
  };
  Ended end = exec({"--max-output", "1K"}, "exec yes");
  EXPECT_EQ(end.exit_code, 137);
  EXPECT_EQ(end.out.size(), 1024U);
  EXPECT_THAT(end.err, HasSubstr("more output than 1.0 KiB"));

  end = exec({"--max-output", "4", "--on-excess", "tail"}, "printf 0123456789; exit 3");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.out, "6789");
  EXPECT_THAT(end.err, HasSubstr("6 bytes are missing"));

  end = exec({"--idle-timeout", "50ms"}, "exec sleep 1000");
  EXPECT_EQ(end.exit_code, 124);
  EXPECT_THAT(end.err, HasSubstr("no output for 50"));

  end = exec({"--cpu-time", "100ms"}, "while :; do :; done");
  EXPECT_EQ(end.exit_code, 124);
  EXPECT_THAT(end.err, HasSubstr("CPU time limit of 100"));
}

}  // namespace
}  // namespace sandbox::test
