// What a sandbox that misbehaves costs its neighbours, and what killed owners leave. It takes a
// delegated cgroup: on a machine without one run it in the microVM, as limits_cost.cc says. The
// bombs that need none are thrown anywhere.
//
//     host_protection            bombs, one after the other, beside a sandbox that runs `true`
//     host_protection churn N    N sandboxes made and destroyed, the owner of each tenth killed

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "tests/bench/statistics.h"

namespace sandbox::bench {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMiB = 1 << 20;
constexpr std::size_t kAnswers = 30;
// A fork bomb does not end by itself: it goes on with what it has.
constexpr std::chrono::seconds kFuse{5};

struct Bomb {
  const char* name;
  Command command;
  Limits limits;
};

Command shell(const char* script) { return {.argv = {"sh", "-c", script}, .timeout = kFuse}; }

Command python(const char* script) { return {.argv = {"python3", "-c", script}, .timeout = kFuse}; }

std::vector<Bomb> bombs() {
  Command flood = shell("exec cat /dev/zero");
  flood.max_output = 64 * kMiB;
  return {
      {"fork", shell("bomb() { while :; do bomb & done; }; bomb"), {.pids = 64}},
      {"memory", shell("exec tail /dev/zero"), {.memory_bytes = 64 * kMiB}},
      {"disk", shell("exec cat /dev/zero > ~/file"), {.disk_bytes = 64 * kMiB}},
      {"inodes",
       shell("i=0; while : > ~/$i; do i=$((i+1)); done; exit 1"),
       {.disk_bytes = 8 * kMiB}},
      {"descriptors", python("import os\nl=[]\nwhile 1: l.append(os.open('/dev/null',0))"), {}},
      {"inotify",
       python("import ctypes\nc=ctypes.CDLL(None)\nwhile c.inotify_init()>=0: pass\nexit(1)"),
       {}},
      {"output", flood, {}},
  };
}

// How each went off, and how often; until told to stop.
std::map<std::string, int> throw_bomb(Runtime& runtime, const Bomb& bomb,
                                      const std::stop_token& stop) {
  std::map<std::string, int> ends;
  do {
    const Sandbox box = runtime.create({.limits = bomb.limits});
    ++ends[to_string(box.commands().run(bomb.command).outcome)];
  } while (!stop.stop_requested());
  return ends;
}

Samples answers_of(const Sandbox& box) {
  Samples answers;
  while (answers.size() < kAnswers) {
    const auto start = Clock::now();
    box.commands().start({.argv = {"true"}}).wait();
    answers.add(Clock::now() - start);
  }
  return answers;
}

void print(const char* name, const Samples& answers, const std::map<std::string, int>& ends) {
  std::printf("%-12s `true` beside it: median %.1f ms, slowest %.1f ms\n", name,
              microseconds(answers.median()) / 1000, microseconds(answers.percentile(100)) / 1000);
  for (const auto& [end, times] : ends) std::printf("%14d times: %s\n", times, end.c_str());
}

void compare(Runtime& runtime, const Sandbox& neighbour, const Bomb& bomb) try {
  { const Sandbox possible = runtime.create({.limits = bomb.limits}); }
  std::map<std::string, int> ends;
  std::jthread thrower(
      [&](const std::stop_token& stop) { ends = throw_bomb(runtime, bomb, stop); });
  const Samples answers = answers_of(neighbour);
  thrower.request_stop();
  thrower.join();
  print(bomb.name, answers, ends);
} catch (const Error& error) {
  std::printf("%-12s cannot be limited here: %s: %s\n", bomb.name, error.what(),
              error.hint().c_str());
}

void throw_bombs() {
  Runtime runtime;
  const Sandbox neighbour = runtime.create();
  print("no bomb", answers_of(neighbour), {});
  for (const Bomb& bomb : bombs()) compare(runtime, neighbour, bomb);
}

SandboxOptions limited() { return {.limits = {.memory_bytes = 64 * kMiB, .pids = 16}}; }

// Where the cgroups of sandboxes are made.
fs::path cgroups_beside(const Sandbox& box) {
  std::ifstream lines("/proc/" + std::to_string(box.host_pid()) + "/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::")) return fs::path("/sys/fs/cgroup" + line.substr(3)).parent_path();
  }
  return {};
}

long count_sandboxes(const fs::path& cgroups) {
  return std::count_if(fs::directory_iterator(cgroups), {}, [](const auto& entry) {
    return entry.path().filename().string().starts_with("sbx-");
  });
}

void make_and_be_killed() {
  const pid_t child = check(::fork(), "fork");
  if (child != 0) {
    ::waitpid(child, nullptr, 0);
    return;
  }
  Runtime runtime;
  const Sandbox box = runtime.create(limited());
  box.commands().start({.argv = {"sleep", "1000"}}).detach();
  ::raise(SIGKILL);
}

void churn(int rounds) {
  Runtime runtime;
  Sandbox first = runtime.create(limited());
  const fs::path cgroups = cgroups_beside(first);
  const auto start = Clock::now();
  for (int i = 0; i < rounds; ++i) {
    if (i % 10 == 9) {
      make_and_be_killed();
    } else {
      runtime.create(limited()).destroy();
    }
  }
  const double seconds = microseconds(Clock::now() - start) / 1e6;
  const long before = count_sandboxes(cgroups);
  first.destroy();
  // What killed owners left is collected by the next process that makes sandboxes.
  Runtime().create(limited()).destroy();
  std::printf("%d made and destroyed, %d owners killed, %.1f s: %ld cgroups, then %ld\n", rounds,
              rounds / 10, seconds, before, count_sandboxes(cgroups));
}

}  // namespace
}  // namespace sandbox::bench

int main(int argc, char** argv) try {
  if (argc == 3 && std::string(argv[1]) == "churn") {
    sandbox::bench::churn(std::atoi(argv[2]));
  } else {
    sandbox::bench::throw_bombs();
  }
  return 0;
} catch (const sandbox::Error& error) {
  std::fprintf(stderr, "host_protection: %s\n%s\n", error.what(), error.hint().c_str());
  return 1;
}
