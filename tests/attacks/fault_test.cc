// Bad days: killed hosts, killed helpers, templates that vanish, many commands at once.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/error.h"
#include "tests/attacks/attack_box.h"
#include "tests/attacks/host_probe.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The host of a sandbox in a process of its own; tells PID 1 of it and then lives on.
struct HostProcess {
  pid_t pid = -1;
  pid_t init = -1;
};

HostProcess start_host(Upper upper) {
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  HostProcess host;
  host.pid = check(::fork(), "fork");
  if (host.pid == 0) {
    try {
      Runtime runtime({.data_directory = AttackBox::data().path("data")});
      SandboxOptions options = AttackBox::options();
      options.upper = upper;
      Sandbox box = runtime.create(options);
      Process daemon = box.commands().start(probe_command({"daemon"}));
      Process stubborn = box.commands().start(probe_command({"ignore-signals"}));
      wait_for_word(daemon, "left");
      wait_for_word(stubborn, "ready");
      const pid_t init = box.host_pid();
      check(::write(writer.get(), &init, sizeof(init)), "write");
      for (;;) ::pause();
    } catch (const std::exception&) {
      ::_exit(1);
    }
  }
  writer.reset();
  check(::read(reader.get(), &host.init, sizeof(host.init)), "read");
  return host;
}

// X-01, and the promise of Sandbox: it ends when its host does.
class KilledHost : public ::testing::TestWithParam<Upper> {};

INSTANTIATE_TEST_SUITE_P(, KilledHost, ::testing::Values(Upper::Memory, Upper::Directory));

TEST_P(KilledHost, TakesItsSandboxAlong) {
  AttackBox attack;
  const Sandbox other = attack.make();  // Lives on: what changes below is the killed host's.
  const LeakCheck everything_goes({}, seconds(2));
  const HostProcess host = start_host(GetParam());
  ASSERT_GT(host.init, 0);
  EXPECT_GE(processes_of(host.init).size(), 3U);
  ::kill(host.pid, SIGKILL);
  ::waitpid(host.pid, nullptr, 0);
  EXPECT_EQ(everything_goes.difference(), "");
  // What it had on disk, the next Runtime collects.
  const Runtime next({.data_directory = AttackBox::data().path("data")});
  const fs::path boxes = AttackBox::data().path("data/boxes");
  EXPECT_TRUE(!fs::exists(boxes) || fs::is_empty(boxes));
}

TEST(Fault, HostKilledInTheMiddleOfCreatingLeavesNothing) {
  AttackBox attack;
  const Sandbox other = attack.make();  // Lives on: what changes below is the killed host's.
  for (int step = 0; step < 12; ++step) {
    const LeakCheck everything_goes({}, seconds(3));
    const pid_t host = check(::fork(), "fork");
    if (host == 0) {
      try {
        Runtime runtime({.data_directory = AttackBox::data().path("data")});
        for (;;) static_cast<void>(runtime.create(AttackBox::options()));
      } catch (const std::exception&) {
        ::_exit(1);
      }
    }
    // A different moment each time: some are before, in and after a clone.
    std::this_thread::sleep_for(std::chrono::microseconds(3000 + 700 * step));
    ::kill(host, SIGKILL);
    ::waitpid(host, nullptr, 0);
    EXPECT_EQ(everything_goes.difference(), "");
  }
}

//
TEST(Fault, KilledInitIsSandboxGone) {
  AttackBox attack;
  Sandbox box = attack.make();
  Process process = AttackBox::start_probe(box, {"threads", "1"});
  wait_for_word(process, "ready");
  ::kill(box.host_pid(), SIGKILL);
  EXPECT_EQ(to_string(process.wait()), to_string(Outcome(SandboxGone{})));
  EXPECT_THAT([&] { box.commands().run(command({"true"})); }, FailsWith(EPIPE));
  box.destroy();
}

//
TEST(Fault, TemplateThatVanishesHurtsNobodyElse) {
  AttackBox attack;
  const TempDir directory;
  ::chmod(directory.path().c_str(), 0755);
  directory.write("root/opt/file", "here");
  ::chmod(directory.path("root").c_str(), 0755);
  SandboxOptions options = AttackBox::options();
  options.template_name = "dir:" + directory.path("root");
  Sandbox box = attack.make(options);
  fs::remove_all(directory.path("root"));
  EXPECT_EQ(AttackBox::run_probe(box, {"status"}).exit_code(), 0);
  EXPECT_THAT([&] { attack.make(options); }, FailsWith(ENOENT));
  box.destroy();
}

//
TEST(Fault, DataDirectoryOfOthersIsRefused) {
  const LeakCheck nothing_left;
  const TempDir directory = TempDir::with({{"open/", ""}, {"real/", ""}});
  ::chmod(directory.path("open").c_str(), 0777);
  fs::create_directory_symlink(directory.path("real"), directory.path("link"));
  EXPECT_THAT([&] { Runtime({.data_directory = directory.path("open")}); }, FailsWith(EPERM));
  EXPECT_THAT([&] { Runtime({.data_directory = directory.path("link")}); }, FailsWith(ENOTDIR));
}

// a launcher has a session of its own.
TEST(Fault, SignalToTheCallersGroupIsTheCallersBusiness) {
  AttackBox attack;
  const Sandbox box = attack.make();
  EXPECT_NE(::getpgid(box.host_pid()), ::getpgrp());
  EXPECT_NE(::getsid(box.host_pid()), ::getsid(0));
}

//
TEST(Fault, DescriptorsRunOutInsideOnly) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process process = AttackBox::start_probe(box, {"open-many", "100000"});
  wait_for_word(process, "open EMFILE");
  EXPECT_EQ(box.commands().run(command({"/bin/true"})).exit_code(), 0);
  process.close_stdin();
  EXPECT_EQ(to_string(process.wait()), "exited with 0");
}

uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

//
TEST(Fault, FloodPassesInConstantMemory) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process flood = box.commands().start(probe_command({"flood", "512"}));
  const uint64_t before = resident_bytes();
  uint64_t out = 0;
  uint64_t err = 0;
  flood.stream([&](Stream from, std::string_view chunk) {
    (from == Stream::Stdout ? out : err) += chunk.size();
  });
  EXPECT_EQ(out, uint64_t{512} << 20);
  EXPECT_EQ(err, uint64_t{512} << 20);
  EXPECT_LT(resident_bytes(), before + (8 << 20));
}

//
TEST(Fault, OutputThatNobodyReadsBlocksOnlyItsWriter) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process blocked = box.commands().start(command({kProbe, "flood", "64"}, {}, milliseconds(700)));
  EXPECT_EQ(box.commands().run(command({"/bin/true"})).exit_code(), 0);
  EXPECT_EQ(to_string(blocked.wait()), to_string(Outcome(TimedOut{})));
}

//
TEST(Fault, DaemonDoesNotHoldUpItsStarter) {
  AttackBox attack;
  Sandbox box = attack.make();
  const CommandResult result = AttackBox::run_probe(box, {"daemon"});
  EXPECT_EQ(result.stdout_text, "left\n");
  EXPECT_TRUE(comes_true([&] { return processes_of(box.host_pid()).size() == 2; }));
  box.destroy();
}

TEST(Fault, TimeLimitEndsDaemonsToo) {
  AttackBox attack;
  const Sandbox box = attack.make();
  const CommandResult result = box.commands().run(
      command({"/bin/sh", "-c", "/probe/probe daemon; sleep 60"}, {}, milliseconds(500)));
  EXPECT_EQ(to_string(result.outcome), to_string(Outcome(TimedOut{})));
  EXPECT_TRUE(comes_true([&] { return processes_of(box.host_pid()).size() == 1; }));
}

//
TEST(Fault, ProcessThatIgnoresOrStopsEverythingDies) {
  AttackBox attack;
  const Sandbox box = attack.make();
  Process stubborn = box.commands().start(probe_command({"ignore-signals"}));
  wait_for_word(stubborn, "ready");
  stubborn.kill(SIGTERM);
  stubborn.kill(SIGSTOP);
  stubborn.kill(SIGKILL);
  EXPECT_EQ(to_string(stubborn.wait()), "killed by SIGKILL");
}

//
TEST(Fault, LimitsCannotBeRaised) {
  AttackBox attack;
  const auto results = to_results(attack.probe({"limits"}).stdout_text);
  for (const auto& [attempt, result] : results) {
    if (attempt.starts_with("raise") || attempt.starts_with("prlimit")) {
      EXPECT_EQ(result, "EPERM") << attempt;
    }
  }
  EXPECT_EQ(results.at("oom_score_adj"), "EACCES");
  EXPECT_EQ(results.at("nice"), "EACCES");
  EXPECT_EQ(results.at("FSIZE end"), std::to_string(128 + SIGXFSZ));
  EXPECT_EQ(results.at("AS end"), "12");
}

// L-01
TEST(Load, ManySandboxesOneAfterTheOther) {
  AttackBox attack;
  attack.make();
  const uint64_t before = resident_bytes();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(attack.make().commands().run(command({"/bin/true"})).exit_code(), 0);
  }
  if (is_sanitized()) return;
  EXPECT_LT(resident_bytes(), before + (2 << 20));
}

// L-07, and signals in the middle: each exit is told once, and right.
TEST(Load, ManyCommandsAtOnceEndEachWithItsCode) {
  AttackBox attack;
  const Sandbox box = attack.make();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int worker = 0; worker < 8; ++worker) {
    threads.emplace_back([&, worker] {
      for (int i = 0; i < 40; ++i) {
        const int code = (worker * 40 + i) % 200;
        Process process =
            box.commands().start(command({"/bin/sh", "-c", "exit " + std::to_string(code)}));
        if (i % 4 == 0) process.kill(SIGCONT);  // Arrives about when it ends.
        if (process.wait() != Outcome(Exited{code})) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Load, HundredCommandsLiveAtOnce) {
  AttackBox attack;
  Sandbox box = attack.make();
  std::vector<Process> processes;
  processes.reserve(100);
  for (int i = 0; i < 100; ++i) {
    processes.push_back(AttackBox::start_probe(box, {"threads", "0"}));
  }
  for (Process& process : processes) wait_for_word(process, "ready");
  EXPECT_EQ(processes_of(box.host_pid()).size(), 101U);
  for (Process& process : processes) process.close_stdin();
  for (Process& process : processes) EXPECT_EQ(to_string(process.wait()), "exited with 0");
  EXPECT_TRUE(comes_true([&] { return processes_of(box.host_pid()).size() == 1; }));
}

// L-05
TEST(Load, DestroyWakesEverybodyWhoWaits) {
  AttackBox attack;
  Sandbox box = attack.make();
  Process waited = AttackBox::start_probe(box, {"threads", "0"});
  Process streamed = box.commands().start(probe_command({"flood", "1000000"}));
  std::thread waiter([&] { EXPECT_EQ(to_string(waited.wait()), "the sandbox has ended"); });
  std::thread streamer([&] { streamed.stream([](Stream, std::string_view) {}); });
  box.destroy();
  waiter.join();
  streamer.join();
  EXPECT_EQ(to_string(streamed.wait()), "the sandbox has ended");
}

}  // namespace
}  // namespace sandbox::test
