// Files against the bare system calls, in one run, on an overlay with a tmpfs upper layer in a user
// namespace. What counts are the ratios of neighbouring lines.

#include <benchmark/benchmark.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "sandbox/error.h"
#include "sandbox/files.h"
#include "tests/fs/test_root.h"

namespace sandbox::test {
namespace {

const TestRoot& root() {
  static const TestRoot shared(RootKind::Overlay);
  return shared;
}

constexpr const char* kFile = "home/user/file";
const std::string kPage(4096, 'x');

void read_plain(benchmark::State& state) {
  root().files().write("file", kPage);
  char buffer[4096];
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    const int fd = ::openat(root().fd(), kFile, O_RDONLY | O_CLOEXEC);
    benchmark::DoNotOptimize(::read(fd, buffer, sizeof buffer));
    ::close(fd);
  }
}
BENCHMARK(read_plain);

void read_files(benchmark::State& state) {
  root().files().write("file", kPage);
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    benchmark::DoNotOptimize(root().files().read("/home/user/file"));
  }
}
BENCHMARK(read_files);

void overwrite_plain(benchmark::State& state) {
  root().files().write("file", kPage);
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    const int fd = ::openat(root().fd(), kFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    benchmark::DoNotOptimize(::write(fd, kPage.data(), kPage.size()));
    ::close(fd);
  }
}
BENCHMARK(overwrite_plain);

void overwrite_files(benchmark::State& state) {
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    root().files().write("/home/user/file", kPage);
  }
}
BENCHMARK(overwrite_files);

void create_plain(benchmark::State& state) {
  root().as_payload([&] {
    for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
      const int fd =
          ::openat(root().fd(), "home/user/new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      benchmark::DoNotOptimize(::write(fd, kPage.data(), kPage.size()));
      ::close(fd);
      state.PauseTiming();
      ::unlinkat(root().fd(), "home/user/new", 0);
      state.ResumeTiming();
    }
  });
}
BENCHMARK(create_plain);

void create_files(benchmark::State& state) {
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    root().files().write("/home/user/new", kPage);
    state.PauseTiming();
    // Not as the payload: what a change of identity leaves for later would be timed as ours.
    ::unlinkat(root().fd(), "home/user/new", 0);
    state.ResumeTiming();
  }
}
BENCHMARK(create_files);

constexpr int kEntries = 10'000;

void make_entries() {
  static const bool made = [] {
    for (int entry = 0; entry < kEntries; ++entry) {
      root().files().write("/home/user/many/" + std::to_string(entry), "");
    }
    return true;
  }();
  benchmark::DoNotOptimize(made);
}

void list_plain(benchmark::State& state) {
  make_entries();
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    DIR* dir = ::fdopendir(::openat(root().fd(), "home/user/many", O_RDONLY | O_CLOEXEC));
    while (const dirent* entry = ::readdir(dir)) {
      struct stat status = {};
      benchmark::DoNotOptimize(
          ::fstatat(::dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW));
    }
    ::closedir(dir);
  }
}
BENCHMARK(list_plain)->Unit(benchmark::kMillisecond);

void list_files(benchmark::State& state) {
  make_entries();
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    benchmark::DoNotOptimize(root().files().list("/home/user/many").size());
  }
}
BENCHMARK(list_files)->Unit(benchmark::kMillisecond);

constexpr uint64_t kGigabyte = 1 << 30;

void make_large_file() {
  static const bool made = [] {
    const std::string chunk(1 << 20, 'x');
    uint64_t left = kGigabyte;
    root().files().write_chunks("/home/user/large", [&]() -> std::string_view {
      if (left == 0) return {};
      left -= chunk.size();
      return chunk;
    });
    return true;
  }();
  benchmark::DoNotOptimize(made);
}

void download_cp(benchmark::State& state) {
  make_large_file();
  const TempDir host;
  const std::string command = "cp " + root().inside("/home/user/large") + " " + host.path("copy");
  // The shell has to find the descriptor, which is not inherited.
  const std::string here = "/proc/" + std::to_string(::getpid()) + "/fd/";
  std::string visible = command;
  visible.replace(visible.find("/proc/self/fd/"), 14, here);
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    if (std::system(visible.c_str()) != 0) state.SkipWithError("cp failed");
    state.PauseTiming();
    ::unlink(host.path("copy").c_str());
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<int64_t>(kGigabyte) * state.iterations());
}
BENCHMARK(download_cp)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(4);

void download_files(benchmark::State& state) {
  make_large_file();
  const TempDir host;
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    root().files().download("/home/user/large", host.path("copy"));
    state.PauseTiming();
    ::unlink(host.path("copy").c_str());
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<int64_t>(kGigabyte) * state.iterations());
}
BENCHMARK(download_files)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(4);

// From the change to the event in the hands of a thread that waits for it.
void watch_latency(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  root().files().make_dir("/home/user/watched");
  Watcher watcher = root().files().watch("/home/user/watched");
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): its own idiom.
    Clock::time_point seen;
    std::jthread waiter([&] {
      static_cast<void>(watcher.next());
      seen = Clock::now();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // The waiter waits by then.
    const Clock::time_point start = Clock::now();
    root().as_payload([&] { ::mkdirat(root().fd(), "home/user/watched/x", 0755); });
    waiter.join();
    state.SetIterationTime(std::chrono::duration<double>(seen - start).count());
    root().as_payload([&] { ::unlinkat(root().fd(), "home/user/watched/x", AT_REMOVEDIR); });
    watcher.drain();
  }
}
BENCHMARK(watch_latency)->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(300);

}  // namespace
}  // namespace sandbox::test

BENCHMARK_MAIN();
