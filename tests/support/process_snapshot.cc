#include "tests/support/process_snapshot.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>
#include <utility>

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

struct ProcessInfo {
  pid_t parent = 0;
  char state = '?';
  std::string name;
};

// Everything below may disappear between listing and reading; what is gone is not there.
std::string read_link(const fs::path& path) {
  std::error_code gone;
  return fs::read_symlink(path, gone).string();
}

void each_entry(const fs::path& directory, const std::function<void(const fs::path&)>& visit) {
  std::error_code gone;
  fs::directory_iterator entry(directory, gone);
  for (; !gone && entry != fs::directory_iterator(); entry.increment(gone)) visit(entry->path());
}

// proc(5), /proc/[pid]/stat: "pid (name) state ppid ..."; the name may hold blanks and ')'.
ProcessInfo parse_stat(const std::string& stat) {
  const size_t open = stat.find('(');
  const size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  ProcessInfo info{.name = stat.substr(open + 1, close - open - 1)};
  std::istringstream(stat.substr(close + 1)) >> info.state >> info.parent;
  return info;
}

std::map<pid_t, ProcessInfo> all_processes() {
  std::map<pid_t, ProcessInfo> processes;
  each_entry("/proc", [&](const fs::path& entry) {
    const std::string name = entry.filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size()) return;
    std::ifstream file(entry / "stat");
    if (std::string stat; std::getline(file, stat)) processes[pid] = parse_stat(stat);
  });
  return processes;
}

bool is_below(pid_t pid, pid_t ancestor, const std::map<pid_t, ProcessInfo>& processes) {
  for (auto found = processes.find(pid); found != processes.end();
       found = processes.find(found->second.parent)) {
    if (found->second.parent == ancestor) return true;
  }
  return false;
}

// The supervisor of main.cc, our parent, adopts orphans: nothing escapes from below it.
void add_processes(std::set<std::string>& lines) {
  const std::map<pid_t, ProcessInfo> processes = all_processes();
  for (const auto& [pid, info] : processes) {
    if (pid == ::getpid() || !is_below(pid, ::getppid(), processes)) continue;
    const std::string number = std::to_string(pid);
    lines.insert((info.state == 'Z' ? "zombie " : "process ") + number + " (" + info.name + ")");
    const std::string mounts = read_link("/proc/" + number + "/ns/mnt");
    if (!mounts.empty()) lines.insert("mount namespace " + mounts);
  }
}

void add_descriptors(std::set<std::string>& lines) {
  each_entry("/proc/self/fd", [&](const fs::path& entry) {
    const std::string target = read_link(entry);
    const bool is_the_listing = target == "/proc/" + std::to_string(::getpid()) + "/fd";
    if (!target.empty() && !is_the_listing) {
      lines.insert("fd " + entry.filename().string() + " -> " + target);
    }
  });
}

void add_threads(std::set<std::string>& lines) {
  each_entry("/proc/self/task",
             [&](const fs::path& entry) { lines.insert("thread " + entry.filename().string()); });
}

void add_mounts(std::set<std::string>& lines) {
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) lines.insert("mount " + line);
}

void add_tree(const fs::path& directory, std::set<std::string>& lines) {
  each_entry(directory, [&](const fs::path& entry) {
    lines.insert("entry " + entry.string());
    std::error_code gone;
    if (fs::is_directory(fs::symlink_status(entry, gone))) add_tree(entry, lines);
  });
}

}  // namespace

ProcessSnapshot ProcessSnapshot::take(const std::vector<std::string>& directories) {
  ProcessSnapshot snapshot;
  add_processes(snapshot.lines_);
  add_descriptors(snapshot.lines_);
  add_threads(snapshot.lines_);
  add_mounts(snapshot.lines_);
  for (const std::string& directory : directories) add_tree(directory, snapshot.lines_);
  return snapshot;
}

std::string ProcessSnapshot::difference_to(const ProcessSnapshot& later) const {
  std::string text;
  for (const std::string& line : later.lines_) {
    if (!lines_.contains(line)) text += "+ " + line + '\n';
  }
  for (const std::string& line : lines_) {
    // A zombie of a test before, which its supervisor has reaped since.
    if (!later.lines_.contains(line) && !line.starts_with("zombie ")) text += "- " + line + '\n';
  }
  return text;
}

LeakCheck::LeakCheck(std::vector<std::string> directories, std::chrono::milliseconds deadline)
    : directories_(std::move(directories)),
      deadline_(deadline),
      before_(ProcessSnapshot::take(directories_)) {}

LeakCheck::~LeakCheck() { EXPECT_EQ(difference(), "") << "left behind (+) or lost (-)"; }

std::string LeakCheck::difference() const {
  const auto end = std::chrono::steady_clock::now() + deadline_;
  while (true) {
    std::string difference = before_.difference_to(ProcessSnapshot::take(directories_));
    if (difference.empty() || std::chrono::steady_clock::now() > end) return difference;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Between two looks, not a wait.
  }
}

}  // namespace sandbox::test
