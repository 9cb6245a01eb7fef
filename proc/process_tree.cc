#include "proc/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

std::optional<pid_t> to_pid(std::string_view name) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

std::vector<pid_t> list_pids(int proc) {
  UniqueFd fd{check(::openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "openat", "/proc")};
  const std::unique_ptr<DIR, CloseDir> dir{::fdopendir(fd.get())};
  if (!dir) throw Error(errno, "fdopendir", "/proc");
  (void)fd.release();
  std::vector<pid_t> pids;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (const auto pid = to_pid(entry->d_name); pid && *pid != 1) pids.push_back(*pid);
  }
  return pids;
}

// State follows the name, which may hold anything: proc(5) says to search for the last ')'.
char state_of(int proc, pid_t pid) {
  const std::string stat = read_proc_entry(proc, pid, "stat");
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos ? 'X' : stat[name_end + 2];
}

// While everything is stopped nobody can fork: kill(2) reaches all processes of the namespace but
// PID 1 under one lock, and fork(2) starts over when a signal is pending. Others than the tree go
// on afterwards, those included that were born since we looked; who was stopped before, stays so.
void kill_frozen_tree(int proc, uint64_t tag) {
  std::set<pid_t> stopped;
  for (const pid_t pid : list_pids(proc)) {
    if (state_of(proc, pid) == 'T') stopped.insert(pid);
  }
  ::kill(-1, SIGSTOP);
  for (const pid_t pid : find_tree(proc, tag)) ::kill(pid, SIGKILL);
  for (const pid_t pid : list_pids(proc)) {
    if (!stopped.contains(pid)) ::kill(pid, SIGCONT);
  }
}

}  // namespace

std::string read_proc_entry(int proc, pid_t pid, const char* file) {
  const std::string path = std::to_string(pid) + '/' + file;
  const UniqueFd fd{::openat(proc, path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 4096> buffer{};
  const ssize_t got = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : 0;
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

// The line reads `Max file locks            7                    7                    locks`.
std::optional<uint64_t> tag_of(int proc, pid_t pid) {
  const std::string limits = read_proc_entry(proc, pid, "limits");
  constexpr std::string_view kName = "Max file locks";
  const std::size_t line = limits.find(kName);
  if (line == std::string::npos) return std::nullopt;
  const std::size_t value = limits.find_first_not_of(' ', line + kName.size());
  if (value == std::string::npos) return std::nullopt;
  uint64_t found = 0;
  const char* const begin = limits.data() + value;
  const auto [end, error] = std::from_chars(begin, limits.data() + limits.size(), found);
  return error == std::errc{} ? std::optional(found) : std::nullopt;
}

// Whatever their state: a process whose first thread has ended is a zombie to proc(5), though its
// other threads run.
std::vector<pid_t> find_tree(int proc, uint64_t tag) {
  std::vector<pid_t> tree;
  for (const pid_t pid : list_pids(proc)) {
    if (tag_of(proc, pid) == tag) tree.push_back(pid);
  }
  return tree;
}

bool is_stopped(int proc, pid_t pid) { return state_of(proc, pid) == 'T'; }

std::size_t count_processes(int proc) { return list_pids(proc).size(); }

void signal_tree(int proc, uint64_t tag, int signal) {
  // A process with SIGKILL pending cannot fork any more, so a search that finds nobody new is the
  // end. A tree that still grows after some rounds is forking faster than we search.
  constexpr int kPlainRounds = 8;
  std::set<pid_t> signalled;
  for (int round = 0; round < kPlainRounds; ++round) {
    bool grew = false;
    for (const pid_t pid : find_tree(proc, tag)) {
      if (!signalled.insert(pid).second) continue;
      ::kill(pid, signal);
      grew = true;
    }
    if (!grew || signal != SIGKILL) return;
  }
  kill_frozen_tree(proc, tag);
}

}  // namespace sandbox
