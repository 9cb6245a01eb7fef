// What templates may cost: creating a sandbox from many layers and from a large template, against
// one layer and a small one; importing an archive, against tar(1). README.md tells what the rows
// mean.

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "sandbox/templates.h"
#include "sandbox/unique_fd.h"
#include "tests/bench/operations.h"
#include "tests/bench/table.h"

namespace sandbox::bench {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kRounds = 300;
constexpr Duration kBudget = 10s;
constexpr std::size_t kImports = 5;
constexpr Duration kImportBudget = 120s;

// A store of its own, below $TMPDIR: what is measured is that disk.
class Work {
 public:
  Work() : path_(fs::temp_directory_path() / "sandbox-bench.XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw Error(errno, "mkdtemp", path_);
    fs::permissions(path_, fs::perms(0755));
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() { fs::remove_all(path_); }

  std::string path(const std::string& name) const { return path_ + '/' + name; }
  RuntimeOptions options() const { return {.data_directory = path("data")}; }
  Templates templates() const { return Templates(options()); }

 private:
  std::string path_;
};

void run(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  int status = ::posix_spawnp(&pid, argv.front(), nullptr, nullptr, argv.data(), environ);
  if (status != 0) throw Error(status, "posix_spawn", words.front());
  check(::waitpid(pid, &status, 0), "waitpid");
  if (status != 0) throw Error(EIO, "run", words.front());
}

void build_layers(const Work& work, const std::string& name, int count) {
  std::ofstream manifest(work.path("app.yaml"));
  manifest << "name: " << name << "\nsteps:\n";
  for (int i = 0; i < count; ++i) {
    manifest << "  - write: {path: /opt/" << i << ", content: x}\n";
  }
  manifest.close();
  work.templates().build(work.path("app.yaml"));
}

// A hole: what has no blocks is read and hashed like all else.
void import_file_of(const Work& work, const std::string& name, uint64_t bytes) {
  fs::create_directories(work.path(name));
  std::ofstream(work.path(name + "/file")).close();
  fs::resize_file(work.path(name + "/file"), bytes);
  work.templates().import("dir:" + work.path(name), name);
}

Row compare_create(const Work& work, const std::string& what, const std::string& against,
                   const std::string& measured, const std::string& reference, double must) {
  Runtime runtime(work.options());
  const Pair pair = interleave([&] { return time_create(runtime, {.template_name = measured}); },
                               [&] { return time_create(runtime, {.template_name = reference}); },
                               kRounds, kBudget);
  return row_of(what, against, pair, must, 1.0);
}

Row measure_layers(const Work& work) {
  build_layers(work, "ten", 10);
  build_layers(work, "one", 1);
  return compare_create(work, "create from a template of 10 layers", "of 1 layer", "ten", "one",
                        1.2);
}

Row measure_size(const Work& work) {
  import_file_of(work, "large", uint64_t{5} << 30);
  import_file_of(work, "small", uint64_t{5} << 20);
  return compare_create(work, "create from a template of 5 GiB", "of 5 MiB", "large", "small", 1.1);
}

void make_archive(const Work& work) {
  constexpr int kFiles = 64;
  fs::create_directories(work.path("files"));
  run({"/bin/sh", "-c",
       "for i in $(seq " + std::to_string(kFiles) + "); do head -c 16M /dev/urandom >" +
           work.path("files") + "/$i; done; tar -C " + work.path("files") + " -cf " +
           work.path("archive.tar") + " ."});
  fs::remove_all(work.path("files"));
}

void sync_disk(const Work& work) {
  const UniqueFd disk(::open(work.path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(::syncfs(disk.get()), "syncfs");
}

Duration time_import(const Work& work) {
  const auto begin = Clock::now();
  work.templates().import("tar:" + work.path("archive.tar"), "imported");
  const Duration took = Clock::now() - begin;
  work.templates().remove("imported");
  sync_disk(work);
  return took;
}

// An import is on the disk when it returns, so tar's files have to be as well.
Duration time_tar(const Work& work) {
  fs::create_directories(work.path("out"));
  const auto begin = Clock::now();
  run({"tar", "-C", work.path("out"), "-xf", work.path("archive.tar")});
  sync_disk(work);
  const Duration took = Clock::now() - begin;
  fs::remove_all(work.path("out"));
  sync_disk(work);
  return took;
}

Row memory_of_import(const Work& work) {
  Row row;
  row.what = "memory of an import of 1 GiB";
  row.against = "largest resident set";
  row.unit = "MiB";
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    time_import(work);
    ::_exit(0);
  }
  rusage usage{};
  check(::wait4(child, nullptr, 0, &usage), "wait4");
  row.measured = static_cast<double>(usage.ru_maxrss) / 1024.0;
  row.ratio = *row.measured;
  row.must = 32;
  row.aim = 16;
  return row;
}

std::vector<Row> measure_import(const Work& work) {
  make_archive(work);
  std::vector<Row> rows{memory_of_import(work)};
  const Pair pair = interleave([&] { return time_import(work); }, [&] { return time_tar(work); },
                               kImports, kImportBudget);
  Row row = row_of("import of a tar archive of 1 GiB", "tar -x, syncfs", pair, 0.7, 1.0);
  row.ratio = 1 / row.ratio;  // Throughput, not time.
  row.good = Good::High;
  rows.push_back(std::move(row));
  return rows;
}

std::vector<Row> measure() {
  const Work work;
  std::vector<Row> rows = measure_import(work);  // First, because it forks.
  rows.push_back(measure_layers(work));
  rows.push_back(measure_size(work));
  return rows;
}

}  // namespace
}  // namespace sandbox::bench

int main(int argc, char** argv) {
  return sandbox::bench::run_table(argc, argv, sandbox::bench::measure);
}
