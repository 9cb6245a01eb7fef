// sandboxctl killed at any moment: what it leaves is usable, or gone after `gc`.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/cli/detached_box.h"

namespace sandbox::test {
namespace {

using Words = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;

class Killed : public ::testing::Test {
 protected:
  Ended ctl(const Words& words) const { return boxes_.sandboxctl(words); }

  // Kills sandboxctl at a moment between its start and the time that it takes, as was seen of one
  // that nobody killed.
  void kill_one(const Words& words) {
    std::uniform_real_distribution<double> share(0.0, 1.1);
    const auto moment = std::chrono::duration_cast<Clock::duration>(full_time_ * share(random_));
    Program program(words, boxes_.setup());
    std::this_thread::sleep_for(moment);
    program.signal(SIGKILL);
    program.wait();
  }
  void learn_time(const Words& words) {
    const auto begin = Clock::now();
    EXPECT_EQ(ctl(words).exit_code, 0);
    full_time_ = Clock::now() - begin;
  }
  std::vector<std::string> living() const {
    std::vector<std::string> ids;
    std::istringstream lines(ctl({"list", "-q"}).out);
    for (std::string id; std::getline(lines, id);) ids.push_back(id);
    return ids;
  }
  void expect_usable() const {
    for (const std::string& id : living()) {
      EXPECT_EQ(ctl({"exec", id, "echo", "well"}).out, "well\n") << id;
    }
  }
  std::set<std::string> left() const {
    std::set<std::string> names;
    for (const char* directory : {"run", "boxes"}) {
      if (!std::filesystem::exists(boxes_.path(directory))) continue;
      for (const auto& entry : std::filesystem::directory_iterator(boxes_.path(directory))) {
        names.insert(entry.path().filename());
      }
    }
    names.erase("names");
    return names;
  }
  // Those that were not on record yet end with their launcher, a moment after sandboxctl.
  bool is_all_collected() const {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    while (Clock::now() < deadline) {
      EXPECT_EQ(ctl({"rm", "--all"}).exit_code, 0);
      EXPECT_EQ(ctl({"gc"}).exit_code, 0);
      if (left().empty()) return true;
    }
    return false;
  }

  const DetachedBoxes boxes_;
  std::mt19937 random_{20'240'607};  // The same moments each time, as far as a machine has those.
  std::chrono::duration<double> full_time_{0};
};

TEST_F(Killed, CreateLeavesNothingOrASandbox) {
  ctl({"create"});  // The skeleton of the template takes its time, once.
  learn_time({"create"});
  std::string name = "n";
  for (int i = 0; i < kRounds; ++i) kill_one({"create", "--name", name += 'x'});
  expect_usable();
  EXPECT_TRUE(is_all_collected()) << ::testing::PrintToString(left());
}

TEST_F(Killed, ExecLeavesTheSandboxUsableAndTheCommandListedOrNot) {
  const std::string id = boxes_.create();
  const Words words{"exec", "-d", id, "--", "sleep", "1000"};
  learn_time(words);
  for (int i = 0; i < kRounds; ++i) kill_one(words);
  expect_usable();
  EXPECT_EQ(ctl({"ps", id}).exit_code, 0);
  EXPECT_TRUE(is_all_collected()) << ::testing::PrintToString(left());
}

TEST_F(Killed, RmLeavesASandboxOrWhatGcTakes) {
  learn_time({"rm", boxes_.create()});
  for (int i = 0; i < kRounds; ++i) kill_one({"rm", boxes_.create()});
  expect_usable();
  EXPECT_TRUE(is_all_collected()) << ::testing::PrintToString(left());
}

TEST_F(Killed, CpLeavesTheOldFileOrTheNew) {
  const std::string id = boxes_.create();
  const std::string content(8 << 20, 'x');
  std::ofstream(boxes_.path("big")) << content;
  const Words words{"cp", boxes_.path("big"), id + ":file"};
  learn_time(words);
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_EQ(ctl({"exec", id, "--", "sh", "-c", "echo old > file"}).exit_code, 0);
    kill_one(words);
    const std::string size = ctl({"exec", id, "--", "sh", "-c", "stat -c %s file"}).out;
    EXPECT_TRUE(size == "4\n" || size == std::to_string(content.size()) + "\n") << size;
  }
  EXPECT_TRUE(is_all_collected()) << ::testing::PrintToString(left());
  std::filesystem::remove(boxes_.path("big"));
}

}  // namespace
}  // namespace sandbox::test
