// sandboxctl create, exec, list, inspect, rm and gc.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/detached_box.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class Lifecycle : public ::testing::Test {
 protected:
  Ended ctl(const std::vector<std::string>& words, const std::string& input = {}) const {
    return boxes_.sandboxctl(words, input);
  }
  void expect_failure(const std::vector<std::string>& words, int exit_code,
                      const std::string& text) const {
    const Ended end = ctl(words);
    EXPECT_EQ(end.exit_code, exit_code) << end.err;
    EXPECT_THAT(end.out, IsEmpty());
    EXPECT_THAT(end.err, AllOf(StartsWith("sandboxctl: "), HasSubstr(text)));
    EXPECT_TRUE(is_one_line(end.err)) << end.err;
  }
  json listed() const { return json::parse(ctl({"list", "--json"}).out).at("sandboxes"); }

  const DetachedBoxes boxes_;
};

TEST_F(Lifecycle, CreatePrintsTheIdAndNothingElse) {
  const Ended end = ctl({"create"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, MatchesRegex("[0-9a-f]{12}\n"));
  EXPECT_THAT(end.err, IsEmpty());
}

TEST_F(Lifecycle, FilesStayFromOneCommandToTheNext) {
  const std::string id = boxes_.create();
  EXPECT_EQ(ctl({"exec", id, "--", "sh", "-c", "echo kept > note"}).exit_code, 0);
  EXPECT_EQ(ctl({"exec", id, "cat", "note"}).out, "kept\n");
}

TEST_F(Lifecycle, ExecHasTheCommandsStreamsAndExitCode) {
  const std::string id = boxes_.create();
  const Ended end = ctl({"exec", "-i", id, "--", "sh", "-c", "cat; echo err >&2; exit 7"}, "in");
  EXPECT_EQ(end.out, "in");
  EXPECT_EQ(end.err, "err\n");
  EXPECT_EQ(end.exit_code, 7);
}

TEST_F(Lifecycle, ExecTakesUserDirectoryAndEnvironment) {
  const std::string id = boxes_.create({"-e", "A=box", "-e", "B=box"});
  const Ended end = ctl({"exec", "-u", "user", "-w", "/tmp", "-e", "B=exec", id, "--", "sh", "-c",
                         "echo $(id -un) $PWD $A $B"});
  EXPECT_EQ(end.out, "user /tmp box exec\n");
}

TEST_F(Lifecycle, ExecOptionsBehindTheIdAreTheCommands) {
  const std::string id = boxes_.create();
  EXPECT_EQ(ctl({"exec", id, "echo", "-u", "--", "x"}).out, "-u -- x\n");
}

TEST_F(Lifecycle, ExecFailuresHaveTheirCodes) {
  const std::string id = boxes_.create();
  expect_failure({"exec", id, "no-such-program"}, 127, "no-such-program");
  expect_failure({"exec", id, "/etc/passwd"}, 126, "/etc/passwd");
  expect_failure({"exec", "-w", "/nowhere", id, "true"}, 125, "/nowhere");
  expect_failure({"exec", "-u", "nobody-here", id, "true"}, 125, "nobody-here");
  expect_failure({"exec", "--timeout", "50ms", id, "sleep", "1000"}, 124, "time limit of 50");
  EXPECT_EQ(ctl({"exec", id, "sh", "-c", "kill -9 $$"}).exit_code, 137);
}

TEST_F(Lifecycle, ExecOfAKilledCallerEndsItsCommand) {
  const std::string id = boxes_.create();
  Program program({"exec", id, "sh", "-c", "echo ready; exec sleep 1000"}, boxes_.setup());
  program.await_stdout("ready");
  program.signal(SIGKILL);
  program.wait();
  // Asked in turn by one process: the end of the other's connection was told before.
  while (listed().at(0).at("pids") != 0) {
  }
}

TEST_F(Lifecycle, ExecPassesSignalsOn) {
  const std::string id = boxes_.create();
  Program program({"exec", id, "sh", "-c",
                   "trap 'echo told; exit 3' TERM; echo ready; "
                   "while :; do sleep 0.01; done"},
                  boxes_.setup());
  program.await_stdout("ready");
  program.signal(SIGTERM);
  const Ended end = program.wait();
  EXPECT_THAT(end.out, HasSubstr("told"));
  EXPECT_EQ(end.exit_code, 3);
}

TEST_F(Lifecycle, NamesWorkInPlaceOfIds) {
  const std::string id = boxes_.create({"--name", "web"});
  EXPECT_EQ(ctl({"exec", "web", "echo", "x"}).out, "x\n");
  EXPECT_EQ(json::parse(ctl({"inspect", "web"}).out).at("id"), id);
  EXPECT_EQ(ctl({"rm", "web"}).exit_code, 0);
}

TEST_F(Lifecycle, TakenNameIsRefusedWithItsHolder) {
  const std::string id = boxes_.create({"--name", "web"});
  expect_failure({"create", "--name", "web"}, 125, id);
}

TEST_F(Lifecycle, ListShowsATable) {
  const std::string id = boxes_.create({"--name", "web", "--ttl", "2h"});
  const Ended end = ctl({"list"});
  EXPECT_THAT(end.out,
              StartsWith("ID            NAME  TEMPLATE  STATE    AGE  TTL  PIDS  MEMORY\n"));
  EXPECT_THAT(end.out, HasSubstr(id + "  web   host      running"));
}

TEST_F(Lifecycle, ListOfNoneIsADocumentToo) {
  EXPECT_EQ(listed(), json::array());
  EXPECT_EQ(ctl({"list", "-q"}).out, "");
}

TEST_F(Lifecycle, ListIsFilteredByMetadata) {
  const std::string anna = boxes_.create({"-m", "owner=anna", "-m", "n=1"});
  boxes_.create({"-m", "owner=bob", "-m", "n=1"});
  EXPECT_EQ(ctl({"list", "-q", "--filter", "n=1", "--filter", "owner=anna"}).out, anna + "\n");
  EXPECT_EQ(ctl({"list", "-q", "--filter", "owner=eve"}).out, "");
}

TEST_F(Lifecycle, MetadataThatSteersATerminalIsEscaped) {
  boxes_.create({"-m", "evil=\x1b[2J\xff"});
  EXPECT_THAT(ctl({"list", "--json"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(Lifecycle, InspectTellsIsolation) {
  const json document = json::parse(ctl({"inspect", boxes_.create()}).out);
  EXPECT_GT(document.at("isolation").size(), 10U);
  EXPECT_EQ(document.at("state"), "running");
}

TEST_F(Lifecycle, EndOfItsTimeToLiveIsTheEnd) {
  const std::string id = boxes_.create({"--ttl", "100ms"});
  while (!listed().empty()) {
  }
  expect_failure({"exec", id, "true"}, 125, "it has ended");
}

TEST_F(Lifecycle, ActionOfTheTimeToLiveIsTold) {
  const json document = json::parse(ctl({"inspect", boxes_.create({"--ttl", "2h"})}).out);
  EXPECT_EQ(document.at("ttl_action"), "kill");
  expect_failure({"create", "--ttl", "1h", "--ttl-action", "freeze"}, 2, "not one of kill, pause");
  expect_failure({"create", "--ttl-action", "pause"}, 2, "nothing happens without --ttl");
}

TEST_F(Lifecycle, StatsFollowTheSandboxToItsEnd) {
  const std::string id = boxes_.create();
  Program program({"stats", "-f", "--interval", "10ms", "--json", id}, boxes_.setup());
  program.await_stdout("}\n");
  EXPECT_EQ(ctl({"rm", id}).exit_code, 0);
  EXPECT_EQ(program.wait().exit_code, 0);
}

TEST_F(Lifecycle, StatsAreInterrupted) {
  const std::string id = boxes_.create();
  Program program({"stats", "-f", "--interval", "1h", id}, boxes_.setup());
  program.await_stdout("running");
  program.signal(SIGINT);
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, StartsWith("STATE "));
}

TEST_F(Lifecycle, RmEndsWhatRuns) {
  const std::string id = boxes_.create();
  Program program({"exec", id, "sh", "-c", "echo ready; exec sleep 1000"}, boxes_.setup());
  program.await_stdout("ready");
  EXPECT_EQ(ctl({"rm", id}).exit_code, 0);
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 137);
  EXPECT_THAT(end.err, HasSubstr("killed from outside"));
}

TEST_F(Lifecycle, RmGoesOnAfterOneThatIsNotThere) {
  const std::string id = boxes_.create();
  const Ended end = ctl({"rm", "0123456789ab", id});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("0123456789ab: there is none"));
  EXPECT_EQ(listed(), json::array());
  EXPECT_EQ(ctl({"rm", "-f", id}).exit_code, 0);
}

TEST_F(Lifecycle, KilledOneIsCollected) {
  const std::string id = boxes_.create();
  ASSERT_EQ(::kill(listed().at(0).at("host_pid").get<pid_t>(), SIGKILL), 0);
  while (!listed().empty()) {
  }
  EXPECT_EQ(ctl({"gc"}).out, id + "\n");
  EXPECT_FALSE(std::filesystem::exists(boxes_.path("run/" + id)));
}

TEST_F(Lifecycle, GarbageInTheRunDirectoryHarmsNobody) {
  const std::string id = boxes_.create();
  const std::string other = boxes_.create();
  std::ofstream(boxes_.path("run/" + other + "/sandbox.json")) << "{\"version\": 99}";
  EXPECT_EQ(listed().size(), 2U) << "what lives is listed, whatever is known of it";
  expect_failure({"exec", other, "true"}, 125, "Protocol error");
  std::ofstream(boxes_.path("run/" + other + "/sandbox.json")) << "{\"vers";
  expect_failure({"exec", other, "true"}, 125, "read the record of " + other + ": Bad message");
  EXPECT_EQ(ctl({"rm", other}).exit_code, 0);
  EXPECT_EQ(ctl({"exec", id, "echo", "well"}).out, "well\n");
}

TEST_F(Lifecycle, RmTakesWhatHasNoRecordAnyMore) {
  const std::string id = boxes_.create();
  std::filesystem::remove(boxes_.path("run/" + id + "/sandbox.json"));
  EXPECT_EQ(ctl({"list", "-q"}).out, id + "\n");
  EXPECT_EQ(ctl({"rm", "--all"}).exit_code, 0);
  EXPECT_EQ(listed(), json::array());
}

TEST_F(Lifecycle, RmOfOneThatCannotBeReachedIsNoSuccess) {
  const std::string id = boxes_.create();
  const pid_t pid = listed().at(0).at("host_pid").get<pid_t>();
  std::filesystem::remove(boxes_.path("run/" + id + "/control"));
  expect_failure({"rm", id}, 125, "Device or resource busy");
  EXPECT_EQ(::kill(pid, SIGKILL), 0);
  while (ctl({"gc"}).out.empty()) {
  }
}

TEST_F(Lifecycle, WrongWordsAreUsageErrors) {
  expect_failure({"create", "true"}, 2, "create takes no command");
  expect_failure({"create", "--ttl", "0"}, 2, "--ttl 0");
  expect_failure({"create", "--name", ""}, 2, "--name");
  expect_failure({"create", "-m", "novalue"}, 2, "--metadata novalue");
  expect_failure({"exec"}, 2, "no sandbox");
  expect_failure({"exec", "x"}, 2, "no command");
  expect_failure({"rm"}, 2, "ids, or --all");
  expect_failure({"rm", "--all", "x"}, 2, "ids, or --all");
  expect_failure({"inspect"}, 2, "one sandbox");
  expect_failure({"list", "x"}, 2, "x");
  expect_failure({"stats"}, 2, "one sandbox");
  expect_failure({"stats", "--interval", "1s", "x"}, 2, "it goes with -f");
  expect_failure({"exec", "../etc", "true"}, 125, "neither an id nor a name");
  expect_failure({"create", "--name", "a b"}, 125, "a b");
}

}  // namespace
}  // namespace sandbox::test
