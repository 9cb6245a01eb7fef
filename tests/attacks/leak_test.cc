// What a sandbox could learn of its host, or of another sandbox, and say to it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "sandbox/error.h"
#include "tests/attacks/attack_box.h"
#include "tests/attacks/host_probe.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using Results = std::map<std::string, std::string>;

class WithVariable {
 public:
  WithVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  WithVariable(const WithVariable&) = delete;
  WithVariable& operator=(const WithVariable&) = delete;
  ~WithVariable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

std::string reversed(std::string text) { return {text.rbegin(), text.rend()}; }

// The probe gets the words reversed, so that it does not find what it was told.
std::string search(const Sandbox& box, const std::vector<std::string>& words) {
  Process process = AttackBox::start_probe(box, {"search"});
  for (const std::string& word : words) process.write_stdin(reversed(word) + '\n');
  process.close_stdin();
  std::string said;
  process.stream([&](Stream, std::string_view chunk) { said += chunk; });
  return said;
}

// I-01
TEST(Leak, EnvironmentOfTheCallerStaysOutside) {
  const WithVariable secret("AWS_SECRET_ACCESS_KEY", "canary");
  const WithVariable agent("SSH_AUTH_SOCK", "/tmp/canary");
  AttackBox attack;
  std::vector<std::string> variables;
  for (const std::string& line : split_lines(attack.probe({"arguments"}).stdout_text)) {
    variables.push_back(line.substr(0, line.find('=')));
  }
  EXPECT_THAT(variables, UnorderedElementsAre("variable PATH", "variable HOME", "variable USER",
                                              "variable LANG"));
  EXPECT_THAT(plain_probe({"arguments"}).text, HasSubstr("canary"));
}

// I-02
TEST(Leak, DescriptorsOfTheCallerStayOutside) {
  AttackBox attack;
  std::vector<UniqueFd> open_on_purpose;
  open_on_purpose.reserve(48);
  for (int i = 0; i < 48; ++i) {
    open_on_purpose.emplace_back(check(::open("/", O_RDONLY | O_DIRECTORY), "open", "/"));
  }
  EXPECT_THAT(plain_probe({"descriptors"}).text, HasSubstr("fd 40 /"));
  Runtime runtime({.data_directory = AttackBox::data().path("data")});
  const Sandbox box = runtime.create(AttackBox::options());
  const CommandResult result = AttackBox::run_probe(box, {"descriptors"});
  const Lines lines = split_lines(result.stdout_text);
  ASSERT_EQ(lines.size(), 4U) << result.stdout_text;
  EXPECT_EQ(lines[0], "fd 0 /dev/null");
  EXPECT_THAT(lines[1], StartsWith("fd 1 pipe:"));
  EXPECT_THAT(lines[2], StartsWith("fd 2 pipe:"));
  EXPECT_EQ(lines[3], "session leader yes");
}

// minijail: handlers and the signal mask are reset.
TEST(Leak, IgnoredSignalsOfTheCallerAreNotIgnoredInside) {
  AttackBox attack;
  const auto old = ::signal(SIGUSR1, SIG_IGN);
  EXPECT_THAT(plain_probe({"descriptors"}).text, HasSubstr("not default 10"));
  EXPECT_THAT(attack.probe({"descriptors"}).stdout_text, Not(HasSubstr("not default")));
  EXPECT_THAT(attack.probe({"descriptors"}).stdout_text, Not(HasSubstr("blocked")));
  ::signal(SIGUSR1, old);
}

// I-04
TEST(Leak, OnlyOwnProcessesAreVisible) {
  AttackBox attack;
  const Lines lines = split_lines(attack.probe({"processes"}).stdout_text);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("/probe/probe processes"));
  EXPECT_GT(split_lines(plain_probe({"processes"}).text).size(), 2U);
}

// I-05
TEST(Leak, HostPathsAreNotTold) {
  AttackBox attack;
  const Sandbox box = attack.make();
  EXPECT_EQ(search(box, {"sandbox-home"}), "not found\n");
  EXPECT_EQ(search(box, {AttackBox::data().path()}), "not found\n");
  EXPECT_EQ(search(box, {"skeletons"}), "not found\n");
  EXPECT_EQ(proc_text(box.host_pid(), "cgroup").empty(), false);
  EXPECT_THAT(search(box, {"overlay"}), HasSubstr("found in /proc/self/mountinfo"));
}

TEST(Leak, CgroupOfTheHostIsNotTold) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const CommandResult result = box.commands().run(command({"cat", "/proc/self/cgroup"}));
  for (const std::string& line : split_lines(result.stdout_text)) {
    EXPECT_THAT(line, ::testing::EndsWith(":/"));
  }
}

// I-10: nothing of the caller's memory is in init or in a command.
TEST(Leak, MemoryOfTheCallerStaysOutside) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process process = AttackBox::start_probe(box, {"threads", "0"});
  wait_for_word(process, "ready");
  const pid_t pid = find_probe(box.host_pid(), "threads");
  for (const char* const library : {"attacks_test", "libstdc++", "libgtest"}) {
    EXPECT_THAT(proc_text(pid, "maps"), Not(HasSubstr(library)));
  }
  EXPECT_THAT(proc_text(::getpid(), "maps"), HasSubstr("attacks_test"));
  process.close_stdin();
}

// I-07, I-08
TEST(Leak, TwoSandboxesShareNoName) {
  AttackBox attack;
  const Sandbox first = attack.make();
  const Sandbox second = attack.make();
  const std::string file = "/usr/bin/env";
  Process holder = AttackBox::start_probe(first, {"channels-take", file});
  wait_for_word(holder, "ready");
  const Results other =
      to_results(AttackBox::run_probe(second, {"channels-look", file}).stdout_text);
  for (const char* const name : {"shm", "sem", "msg", "mq", "shm file", "tmp", "var tmp"}) {
    EXPECT_EQ(other.at(name), "ENOENT") << name;
  }
  EXPECT_EQ(other.at("abstract"), "ECONNREFUSED");
  EXPECT_EQ(other.at("flock"), "ok");
  // The control: within one sandbox they are shared.
  const Results same = to_results(AttackBox::run_probe(first, {"channels-look", file}).stdout_text);
  for (const char* const name : {"shm", "sem", "msg", "shm file", "tmp", "abstract"}) {
    EXPECT_EQ(same.at(name), "ok") << name;
  }
  EXPECT_EQ(same.at("flock"), "EAGAIN");
  holder.close_stdin();
  holder.wait();
}

TEST(Leak, LocksOnTheMachinesFilesAreNotSharedWithTheHost) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const std::string file = "/usr/bin/env";
  Process holder = AttackBox::start_probe(box, {"channels-take", file});
  wait_for_word(holder, "ready");
  EXPECT_EQ(to_results(plain_probe({"channels-look", file}).text).at("flock"), "ok");
  holder.close_stdin();
  holder.wait();
}

TEST(Leak, HostNameIsTheSameForAll) {
  AttackBox attack;
  EXPECT_THAT(split_lines(attack.probe({"channels-look"}).stdout_text),
              Contains("host sandbox domain (none)"));
}

// I-11
TEST(Leak, NothingOfTheSandboxBeforeIsLeft) {
  AttackBox attack;
  for (const Upper upper : {Upper::Memory, Upper::Directory}) {
    SandboxOptions options = AttackBox::options();
    options.upper = upper;
    for (int round = 0; round < 2; ++round) {
      const Sandbox box = attack.make(options);
      EXPECT_THAT(AttackBox::run_probe(box, {"unwritten", "canary"}).stdout_text,
                  HasSubstr("leftovers no"));
    }
  }
}

// I-13
TEST(Leak, ErrorsOfCommandsNameNoHostPath) {
  AttackBox attack;
  const Sandbox box = attack.make();
  for (const Command& wrong : {command({"/no/such"}), command({"true"}, "/no/such"),
                               command({"/etc/passwd"}), command({"/etc"})}) {
    try {
      box.commands().run(wrong);
      FAIL();
    } catch (const Error& error) {
      EXPECT_THAT(error.what() + error.hint(), Not(HasSubstr(AttackBox::data().path())));
    }
  }
}

}  // namespace
}  // namespace sandbox::test
