// The main job, and how long each step of it takes: a sandbox from the `host` template, a program
// written into it, its output as it comes, the files it makes as it makes them, one read back.

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "sandbox/watcher.h"

namespace {

constexpr std::string_view kProgram = R"(
import os

print("Hello from process", os.getpid(), "of", os.uname().nodename)
primes = [n for n in range(2, 100) if all(n % d for d in range(2, n))]
with open("primes.txt", "w") as file:
    print(*primes, file=file)
print("Wrote", len(primes), "primes.")
)";

// Prints what each step was and how long it took.
class Steps {
 public:
  template <typename Step>
  auto run(const char* name, const Step& step) {
    const auto begin = std::chrono::steady_clock::now();
    const Report report{name, begin};
    return step();
  }

 private:
  struct Report {
    const char* name = "";
    std::chrono::steady_clock::time_point begin{};
    ~Report() {
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - begin;
      std::printf("%9.2f ms  %s\n", took.count(), name);
    }
  };
};

void show(sandbox::Stream from, std::string_view chunk) {
  std::FILE* const to = from == sandbox::Stream::Stdout ? stdout : stderr;
  std::fwrite(chunk.data(), 1, chunk.size(), to);
}

void show_created(const std::vector<sandbox::WatchEvent>& changes) {
  for (const sandbox::WatchEvent& change : changes) {
    if (change.type == sandbox::WatchEventType::Create) {
      std::printf("Created: %s\n", change.name.c_str());
    }
  }
}

int run_main_job() {
  Steps steps;
  std::optional<sandbox::Runtime> runtime;
  steps.run("start the launcher", [&] { runtime.emplace(); });
  // Slower the first time after a boot: what it generates is kept in the data directory.
  auto box = steps.run("create a sandbox", [&] { return runtime->create(); });
  box = steps.run("create another, which replaces it", [&] { return runtime->create(); });
  steps.run("write the program", [&] { box.files().write("/home/user/main.py", kProgram); });
  auto watcher =
      steps.run("watch the home directory", [&] { return box.files().watch("/home/user"); });
  auto job = steps.run("start it", [&] {
    return box.commands().start({.argv = {"python3", "main.py"}});
  });
  steps.run("stream its output to the end", [&] { job.stream(show); });
  const sandbox::Outcome end = job.wait();
  if (end != sandbox::Outcome(sandbox::Exited{0})) {
    std::fprintf(stderr, "quickstart: python3: %s\n", to_string(end).c_str());
    return 1;
  }
  show_created(steps.run("see what changed", [&] { return watcher.drain(); }));
  const std::string result =
      steps.run("read the result", [&] { return box.files().read("/home/user/primes.txt"); });
  steps.run("destroy the sandbox", [&] { box.destroy(); });
  std::printf("The result: %s", result.c_str());
  return 0;
}

}  // namespace

int main() {
  try {
    return run_main_job();
  } catch (const sandbox::Error& error) {
    std::fprintf(stderr, "quickstart: %s\n", error.what());
    if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quickstart: %s\n", error.what());
  }
  return 1;
}
