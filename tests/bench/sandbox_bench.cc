// Google Benchmark over the same operations as bench_ratios, one at a time: for profilers, and for
// comparing two builds (tools/compare.py of Google Benchmark). For ratios use bench_ratios, which
// takes turns.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <functional>

#include "tests/bench/host_process.h"
#include "tests/bench/operations.h"

namespace sandbox::bench {
namespace {

constexpr std::size_t kLargeHost = std::size_t{4} << 30;

void run(benchmark::State& state, const TimedRun& timed) {
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    state.SetIterationTime(std::chrono::duration<double>(timed()).count());
  }
}

void create(benchmark::State& state) {
  Runtime runtime;
  run(state, [&] { return time_create(runtime); });
}

void create_in_large_host(benchmark::State& state) {
  HostProcess host(kLargeHost, 16);
  run(state, [&] { return host.time_create(); });
}

void destroy(benchmark::State& state) {
  Runtime runtime;
  run(state, [&] { return time_destroy(runtime); });
}

void command(benchmark::State& state) {
  Runtime runtime;
  Sandbox box = runtime.create();
  run(state, [&] { return time_command(box); });
}

void stream(benchmark::State& state) {
  Runtime runtime;
  Sandbox box = runtime.create();
  const auto bytes = static_cast<uint64_t>(state.range(0));
  run(state, [&] { return time_stream(box, bytes); });
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void raw_pipe(benchmark::State& state) {
  const auto bytes = static_cast<uint64_t>(state.range(0));
  run(state, [&] { return time_raw_pipe(bytes); });
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void clone3(benchmark::State& state) { run(state, time_clone3); }
void namespace_exit(benchmark::State& state) { run(state, time_namespace_exit); }
void posix_spawn(benchmark::State& state) { run(state, time_posix_spawn); }

BENCHMARK(create)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(create_in_large_host)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(clone3)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(destroy)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(namespace_exit)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(command)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(posix_spawn)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(stream)->Arg(int64_t{1} << 30)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(raw_pipe)->Arg(int64_t{1} << 30)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sandbox::bench
