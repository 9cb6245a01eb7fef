// What limits cost: creating, running a command and destroying, with and without them, in turns. It
// takes a delegated cgroup: on a machine without one run it in the microVM,
//
//     echo "$PWD/build/release/tests/bench/limits_cost -" > list
//     sh tests/vm/run.sh "$PWD/list"

#include <cstdio>

#include "sandbox/error.h"
#include "tests/bench/operations.h"
#include "tests/bench/statistics.h"

namespace sandbox::bench {
namespace {

constexpr std::size_t kRounds = 100;
constexpr std::chrono::seconds kBudget{60};

SandboxOptions with_limits() {
  return {.limits = {.memory_bytes = 256 << 20, .pids = 64, .cpus = 1.5}};
}

Duration since(Clock::time_point start) { return Clock::now() - start; }

Duration create(Runtime& runtime, const SandboxOptions& options) {
  const auto start = Clock::now();
  const Sandbox box = runtime.create(options);
  return since(start);
}

Duration destroy(Runtime& runtime, const SandboxOptions& options) {
  Sandbox box = runtime.create(options);
  const auto start = Clock::now();
  box.destroy();
  return since(start);
}

Duration command(const Sandbox& box) {
  const auto start = Clock::now();
  box.commands().start({.argv = {"/bin/true"}}).wait();
  return since(start);
}

void print(const char* what, const Pair& pair) {
  const double with = microseconds(pair.measured.median());
  const double without = microseconds(pair.reference.median());
  std::printf("%-8s with limits %9.0f us, without %9.0f us, ratio %.2f (%zu rounds)\n", what, with,
              without, with / without, pair.measured.size());
}

void compare() {
  Runtime runtime;
  const SandboxOptions limited = with_limits();
  print("create", interleave([&] { return create(runtime, limited); },
                             [&] { return create(runtime, {}); }, kRounds, kBudget));
  print("destroy", interleave([&] { return destroy(runtime, limited); },
                              [&] { return destroy(runtime, {}); }, kRounds, kBudget));
  const Sandbox one = runtime.create(limited);
  const Sandbox other = runtime.create({});
  print("command",
        interleave([&] { return command(one); }, [&] { return command(other); }, kRounds, kBudget));
}

}  // namespace
}  // namespace sandbox::bench

int main() try {
  sandbox::bench::compare();
  return 0;
} catch (const sandbox::Error& error) {
  std::fprintf(stderr, "limits_cost: %s\n%s\n", error.what(), error.hint().c_str());
  return 1;
}
