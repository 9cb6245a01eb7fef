// The speed the project promises, as ratios: each thing measured against the bare system calls it
// cannot do without, in turns, in one run. README.md tells what the rows mean.

#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/host_process.h"
#include "tests/bench/memory_use.h"
#include "tests/bench/operations.h"
#include "tests/bench/table.h"

namespace sandbox::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRounds = 300;
constexpr Duration kBudget = 6s;  // For each row; all together stay below 90 s.

constexpr std::size_t kLargeHost = std::size_t{4} << 30;
constexpr int kLargeHostThreads = 16;

constexpr int kManySandboxes = 1000;
constexpr rlim_t kDescriptorsEach = 8;

Row skipped(std::string what, std::string against, std::string why) {
  Row row;
  row.what = std::move(what);
  row.against = std::move(against);
  row.skipped = std::move(why);
  return row;
}

// First of all, because it forks: this process must still be small.
Row measure_large_host() {
  const char* what = "create in a host of 4 GiB with 16 threads";
  const char* against = "create in an empty host";
  if (available_memory_bytes() < kLargeHost + kLargeHost / 2) {
    return skipped(what, against, "less than 6 GiB of memory are available");
  }
  HostProcess large(kLargeHost, kLargeHostThreads);
  HostProcess empty(0, 0);
  const Pair pair = interleave([&] { return large.time_create(); },
                               [&] { return empty.time_create(); }, kRounds, kBudget);
  return row_of(what, against, pair, 1.15, 1.0);
}

Row measure_create(Runtime& runtime) {
  const Pair pair = interleave([&] { return time_create(runtime); }, time_clone3, kRounds, kBudget);
  return row_of("create", "clone3, 7 namespaces, exit, wait", pair, 2.5, 1.7);
}

Row measure_destroy(Runtime& runtime) {
  const Pair pair =
      interleave([&] { return time_destroy(runtime); }, time_namespace_exit, kRounds, kBudget);
  return row_of("destroy", "SIGKILL and wait, 7 namespaces", pair, 2.0, 1.2);
}

Row measure_command(Runtime& runtime) {
  Sandbox box = runtime.create();
  const Pair pair =
      interleave([&] { return time_command(box); }, time_posix_spawn, kRounds, kBudget);
  return row_of("command in a live sandbox", "posix_spawn and waitpid", pair, 1.3, 1.1);
}

Row measure_stream(Runtime& runtime) {
  constexpr uint64_t kBytes = uint64_t{1} << 30;
  constexpr std::size_t kTimes = 4;
  Sandbox box = runtime.create();
  const Pair pair = interleave([&] { return time_stream(box, kBytes); },
                               [&] { return time_raw_pipe(kBytes); }, kTimes, 4 * kBudget);
  Row row = row_of("stdout to a callback, 4 x 1 GiB", "pipe of 1 MiB, one reader", pair, 0.8, 0.95);
  row.ratio = 1 / row.ratio;  // Throughput, not time.
  row.good = Good::High;
  return row;
}

bool allow_descriptors(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= count;
}

Samples time_creates(Runtime& runtime, int count) {
  Samples samples;
  for (int i = 0; i < count; ++i) samples.add(time_create(runtime));
  return samples;
}

Row memory_row(const std::vector<Sandbox>& boxes, uint64_t kernel_bytes) {
  const char* what = "memory of an idle sandbox";
  uint64_t total = kernel_bytes;
  for (const Sandbox& box : boxes) {
    const std::optional<uint64_t> own = proportional_set_bytes(box.host_pid());
    if (!own) return skipped(what, "-", "only root may read smaps_rollup of its PID 1");
    total += *own;
  }
  Row row;
  row.what = what;
  row.against = "PSS of PID 1 + growth of the kernel's";
  row.unit = "KiB";
  row.measured = static_cast<double>(total) / static_cast<double>(boxes.size()) / 1024.0;
  row.ratio = *row.measured;
  row.must = 1024;
  row.aim = 400;
  return row;
}

// Cannot be done in turns: the thousand are there or not.
void measure_many(Runtime& runtime, std::vector<Row>& rows) {
  const char* what = "create next to 1,000 live sandboxes";
  const char* against = "create next to none";
  if (!allow_descriptors(kManySandboxes * kDescriptorsEach)) {
    rows.push_back(skipped(what, against, "RLIMIT_NOFILE is below 8,000"));
    return;
  }
  constexpr int kSamples = 100;
  time_creates(runtime, 3);
  Pair pair;
  pair.reference = time_creates(runtime, kSamples);
  const uint64_t before = kernel_memory_bytes();
  std::vector<Sandbox> boxes;
  boxes.reserve(kManySandboxes);
  for (int i = 0; i < kManySandboxes; ++i) boxes.push_back(runtime.create());
  const uint64_t after = kernel_memory_bytes();
  pair.measured = time_creates(runtime, kSamples);
  rows.push_back(row_of(what, against, pair, 1.5, 1.1));
  rows.push_back(memory_row(boxes, after > before ? after - before : 0));
}

std::vector<Row> measure() {
  std::vector<Row> rows;
  rows.push_back(measure_large_host());
  Runtime runtime;
  rows.push_back(measure_create(runtime));
  rows.push_back(measure_destroy(runtime));
  rows.push_back(measure_command(runtime));
  rows.push_back(measure_stream(runtime));
  measure_many(runtime, rows);
  return rows;
}

}  // namespace
}  // namespace sandbox::bench

int main(int argc, char** argv) {
  return sandbox::bench::run_table(argc, argv, sandbox::bench::measure);
}
