// Times whole processes, in turns: `sandboxctl run -- /bin/true` and what else there is to run a
// program in isolation; `sandboxctl exec` and nsenter(1). What a peer leaves out (no filter, no
// overlay) stands in README.md.

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/bench/namespace_holder.h"
#include "tests/bench/oci_bundle.h"
#include "tests/bench/statistics.h"

namespace sandbox::bench {
namespace {

using namespace std::chrono_literals;

// An engine of 300 ms may not make everybody else wait.
constexpr Duration kBudgetEach = 8s;
constexpr std::size_t kRounds = 500;
constexpr int kWarmUp = 3;

struct Contender {
  std::string name;
  std::vector<std::string> argv;
  std::string absent = {};  // Why it does not take part.
  Samples samples = {};
  Duration spent = {};
};

struct Options {
  std::string sandboxctl;
  std::size_t rounds = kRounds;
  bool json = false;
};

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

// The first is what the others are compared with.
std::vector<Contender> contenders(const std::string& sandboxctl, const OciBundle& bundle) {
  const std::string in_bundle =
      " run --bundle " + bundle.path() + " bench-" + std::to_string(::getpid());
  const std::string rootless = ::geteuid() == 0 ? "" : " --rootless true";
  std::vector<Contender> all;
  all.push_back({.name = "sandboxctl", .argv = {sandboxctl, "run", "--", "/bin/true"}});
  const auto add = [&all](const std::string& name, const std::string& line) {
    all.push_back({.name = name, .argv = words(line)});
  };
  add("bwrap", "bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev /bin/true");
  add("nsjail", "nsjail --mode o --really_quiet --chroot / -- /bin/true");
  add("unshare",
      "unshare --user --map-root-user --mount --pid --fork --net --ipc --uts --cgroup /bin/true");
  add("crun", "crun --root " + bundle.state() + " --cgroup-manager disabled" + in_bundle);
  add("runc", "runc --root " + bundle.state() + rootless + in_bundle);
  if (::geteuid() == 0) all.back().absent = "as root it would make cgroups on this machine";
  add("podman",
      "podman run --rm --network none --cgroups disabled --volume /usr:/usr:ro --rootfs " +
          bundle.rootfs() + " /bin/true");
  add("firejail", "firejail --quiet --noprofile -- /bin/true");
  add("nothing", "/bin/true");
  return all;
}

// The first is what the other is compared with, in a sandbox or namespaces that live already.
std::vector<Contender> exec_contenders(const std::string& sandboxctl, const std::string& id,
                                       pid_t holder) {
  std::vector<Contender> all;
  all.push_back({.name = "sandboxctl", .argv = {sandboxctl, "exec", id, "/bin/true"}});
  all.push_back({.name = "nsenter",
                 .argv = words("nsenter --user --preserve-credentials --mount --pid --net --ipc "
                               "--uts --cgroup --target " +
                               std::to_string(holder) + " /bin/true")});
  return all;
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::istringstream directories(std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string candidate = directory;
    candidate += '/';
    candidate += name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

struct End {
  int wait_status = 0;
  Duration elapsed{};
};

// Whole life of a process, from before posix_spawn(3) to after waitpid(2).
End run_once(const Contender& contender, int error_output) {
  std::vector<char*> argv;
  argv.reserve(contender.argv.size() + 1);
  for (const std::string& word : contender.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, error_output, STDERR_FILENO);
  End end;
  pid_t pid = -1;
  const Clock::time_point begin = Clock::now();
  const int error = ::posix_spawn(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  if (error == 0) ::waitpid(pid, &end.wait_status, 0);
  end.elapsed = Clock::now() - begin;
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error(error, "posix_spawn", contender.argv.front());
  return end;
}

std::string first_line(int file) {
  std::array<char, 4096> text{};
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  const std::string all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return all.substr(0, all.find('\n'));
}

// Finds the program and tries it, so that only what works is timed.
void prepare(Contender& contender) {
  if (!contender.absent.empty()) return;
  const std::string program = find_program(contender.argv.front());
  if (program.empty()) {
    contender.absent = "not installed (" + contender.argv.front() + ")";
    return;
  }
  contender.argv.front() = program;
  for (int i = 0; i < kWarmUp; ++i) {
    const UniqueFd messages{check(::memfd_create("stderr", MFD_CLOEXEC), "memfd_create")};
    if (run_once(contender, messages.get()).wait_status == 0) continue;
    contender.absent = "fails here: " + first_line(messages.get());
    return;
  }
}

// Unless its time is up, or it has failed.
void time_once(Contender& contender, int error_output) {
  if (!contender.absent.empty() || contender.spent > kBudgetEach) return;
  const End end = run_once(contender, error_output);
  if (end.wait_status != 0) {
    contender.absent = "failed in round " + std::to_string(contender.samples.size());
    return;
  }
  contender.samples.add(end.elapsed);
  contender.spent += end.elapsed;
}

// There and back: who ran before leaves the caches warm, and what of it is still going on, to the
// next.
void time_in_turns(std::vector<Contender>& all, std::size_t rounds) {
  const UniqueFd null{check(::open("/dev/null", O_WRONLY | O_CLOEXEC), "open", "/dev/null")};
  for (std::size_t i = 0; i < rounds; ++i) {
    if (i % 2 == 0) {
      for (Contender& contender : all) time_once(contender, null.get());
    } else {
      for (auto at = all.rbegin(); at != all.rend(); ++at) time_once(*at, null.get());
    }
  }
}

double milliseconds(Duration duration) { return microseconds(duration) / 1000.0; }

void print_table(const char* title, const std::vector<Contender>& all) {
  std::printf("%-12s %6s %10s %10s %10s   %s\n", title, "runs", "min ms", "median ms", "p99 ms",
              "sandboxctl / it");
  const Contender& ours = all.front();
  for (const Contender& contender : all) {
    if (!contender.absent.empty()) {
      std::printf("%-12s %s\n", contender.name.c_str(), contender.absent.c_str());
      continue;
    }
    const Samples& samples = contender.samples;
    std::printf("%-12s %6zu %10.2f %10.2f %10.2f", contender.name.c_str(), samples.size(),
                milliseconds(samples.percentile(0)), milliseconds(samples.median()),
                milliseconds(samples.percentile(99)));
    if (ours.absent.empty()) {
      std::printf("   %.2f", microseconds(ours.samples.median()) / microseconds(samples.median()));
    }
    std::printf("\n");
  }
}

nlohmann::json document(const std::vector<Contender>& all) {
  nlohmann::json list = nlohmann::json::array();
  for (const Contender& contender : all) {
    nlohmann::json entry{{"name", contender.name}, {"argv", contender.argv}};
    if (contender.absent.empty()) {
      entry["runs"] = contender.samples.size();
      entry["min_ms"] = milliseconds(contender.samples.percentile(0));
      entry["median_ms"] = milliseconds(contender.samples.median());
      entry["p99_ms"] = milliseconds(contender.samples.percentile(99));
    } else {
      entry["absent"] = contender.absent;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

void print_json(const std::vector<Contender>& runs, const std::vector<Contender>& execs) {
  const nlohmann::json both{{"run", document(runs)}, {"exec", document(execs)}};
  const auto replace = nlohmann::json::error_handler_t::replace;
  std::printf("%s\n", both.dump(2, ' ', false, replace).c_str());
}

// Where the build puts it, seen from this program.
std::string built_sandboxctl() {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path() / "../../runtime/sandboxctl/sandboxctl").lexically_normal().string();
}

// A copy, as the peers are copies: what the linker has just written lies in the page cache a page
// at a time, and costs a fifth more to run than what was written, or read from a disk, in one go.
std::string installed(const std::string& program, const std::string& directory) {
  std::string copy = directory + "/sandboxctl";
  std::filesystem::copy_file(program, copy);
  return copy;
}

std::optional<Options> read_options(const std::vector<std::string>& arguments) {
  Options options{.sandboxctl = built_sandboxctl()};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--json") {
      options.json = true;
    } else if (arguments[i] == "--sandboxctl" && has_value) {
      options.sandboxctl = arguments[++i];
    } else if (arguments[i] == "--rounds" && has_value) {
      options.rounds = std::strtoul(arguments[++i].c_str(), nullptr, 10);
      if (options.rounds == 0) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

// Fails when there is nothing to compare: then sandboxctl itself does not run.
int run(const Options& options) {
  const OciBundle bundle;
  const std::string program = installed(options.sandboxctl, bundle.path());
  const DetachedSandbox box;
  const NamespaceHolder holder;
  std::vector<Contender> runs = contenders(program, bundle);
  std::vector<Contender> execs = exec_contenders(program, box.id(), holder.pid());
  for (std::vector<Contender>* all : {&runs, &execs}) {
    for (Contender& contender : *all) prepare(contender);
    time_in_turns(*all, options.rounds);
  }
  if (options.json) {
    print_json(runs, execs);
  } else {
    print_table("run", runs);
    print_table("exec", execs);
  }
  return runs.front().absent.empty() && execs.front().absent.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace sandbox::bench

int main(int argc, char** argv) {
  try {
    const auto options = sandbox::bench::read_options({argv + 1, argv + argc});
    if (!options) {
      std::fputs("usage: side_by_side [--sandboxctl FILE] [--rounds N] [--json]\n", stderr);
      return 2;
    }
    return sandbox::bench::run(*options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "side_by_side: %s\n", error.what());
  }
  return EXIT_FAILURE;
}
