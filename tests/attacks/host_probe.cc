#include "tests/attacks/host_probe.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

constexpr std::array kNamespaces{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"};

std::string directory_of(pid_t pid) { return "/proc/" + std::to_string(pid) + '/'; }

std::vector<pid_t> numbers_in(const std::string& directory) {
  std::vector<pid_t> numbers;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(directory, gone)) {
    if (const int number = std::atoi(entry.path().filename().c_str()); number > 0) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string squeeze(const std::string& text) {
  std::istringstream words(text);
  std::string result;
  for (std::string word; words >> word;) result += (result.empty() ? "" : " ") + word;
  return result;
}

void add_status(pid_t pid, std::vector<std::string>& lines) {
  std::map<std::string, std::string> status = status_of_process(pid);
  for (const char* const field : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
                                  "Seccomp", "Seccomp_filters"}) {
    lines.push_back(std::string(field) + ' ' + status[field]);
  }
}

void add_namespaces(pid_t pid, std::vector<std::string>& lines) {
  for (const char* const name : kNamespaces) {
    const std::string link = std::string("ns/") + name;
    const bool own = proc_link(pid, link) != proc_link(::getpid(), link);
    lines.push_back(std::string("namespace ") + name + (own ? " own" : " SHARED WITH THE HOST"));
  }
}

// Whatever the ids are, none is root of the host.
void add_ids(pid_t pid, std::vector<std::string>& lines) {
  for (const char* const file : {"uid_map", "gid_map"}) {
    std::istringstream map(proc_text(pid, file));
    for (uint64_t inside = 0, outside = 0, count = 0; map >> inside >> outside >> count;) {
      lines.push_back(std::string(file) + ' ' + std::to_string(inside) + " -> " +
                      (outside == 0 ? "ROOT OF THE HOST" : "unprivileged") + " x " +
                      std::to_string(count));
    }
  }
  lines.push_back("setgroups " + squeeze(proc_text(pid, "setgroups")));
}

// Those that are ours whatever the caller had; the others are never more than his.
void add_limits(pid_t pid, std::vector<std::string>& lines) {
  std::istringstream limits(proc_text(pid, "limits"));
  for (std::string line; std::getline(limits, line);) {
    for (const char* const name : {"Max core file size", "Max nice priority",
                                   "Max realtime priority", "Max msgqueue size"}) {
      if (line.starts_with(name)) lines.push_back("limit " + squeeze(line));
    }
  }
  lines.push_back("oom_score_adj " + squeeze(proc_text(pid, "oom_score_adj")));
  lines.push_back("coredump_filter " + squeeze(proc_text(pid, "coredump_filter")));
}

// Mount point, its options, type. Fields: proc(5), /proc/[pid]/mountinfo.
void add_mounts(pid_t pid, std::vector<std::string>& lines) {
  std::istringstream mounts(proc_text(pid, "mountinfo"));
  std::vector<std::string> found;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point, options, field, type;
    fields >> id >> parent >> device >> root >> point >> options;
    bool propagates = false;
    while (fields >> field && field != "-") propagates = true;
    fields >> type;
    if (point == "/probe") continue;  // On whatever the build lies.
    std::istringstream words(options);
    std::string kept;
    for (std::string word; std::getline(words, word, ',');) {
      if (word == "relatime" || word == "noatime") continue;
      kept += (kept.empty() ? "" : ",") + word;
    }
    std::string told = "mount " + point;
    told.append(" ").append(kept).append(" ").append(type);
    if (propagates) told += " PROPAGATES";
    found.push_back(told);
  }
  std::sort(found.begin(), found.end());
  lines.insert(lines.end(), found.begin(), found.end());
}

// Without the inode or path behind "pipe:" and the like; above 2, without the number either.
void add_descriptors(pid_t pid, std::vector<std::string>& lines) {
  std::vector<std::string> others;
  for (const auto fd : numbers_in(directory_of(pid) + "fd")) {
    const std::string target = proc_link(pid, "fd/" + std::to_string(fd));
    const std::string kind = target.substr(0, target.find(':'));
    (fd <= 2 ? lines : others)
        .push_back("fd " + (fd <= 2 ? std::to_string(fd) : std::string("above 2")) + ' ' + kind);
  }
  std::sort(others.begin(), others.end());
  lines.insert(lines.end(), others.begin(), others.end());
}

}  // namespace

// By parents, which everybody may read: the links of init are for root only, and in a pid namespace
// all orphans become its children.
std::vector<pid_t> processes_of(pid_t init) {
  std::map<pid_t, pid_t> parents;
  for (const pid_t pid : numbers_in("/proc")) {
    const std::map<std::string, std::string> status = status_of_process(pid);
    if (!status.contains("PPid")) continue;  // Gone meanwhile.
    parents[pid] = std::atoi(status.at("PPid").c_str());
  }
  std::vector<pid_t> found;
  for (const auto& [pid, parent] : parents) {
    pid_t at = pid;
    while (at != init && parents.contains(at)) at = parents.at(at);
    if (at == init && parents.contains(init)) found.push_back(pid);
  }
  return found;
}

pid_t find_probe(pid_t init, const std::string& word) {
  const std::string wanted = std::string("/probe/probe") + '\0' + word;
  for (const pid_t pid : processes_of(init)) {
    if (proc_text(pid, "cmdline").starts_with(wanted)) return pid;
  }
  return -1;
}

std::vector<pid_t> threads_of(pid_t pid) { return numbers_in(directory_of(pid) + "task"); }

std::string proc_text(pid_t pid, const std::string& file) {
  std::ifstream in(directory_of(pid) + file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string proc_link(pid_t pid, const std::string& link) {
  std::error_code gone;
  return fs::read_symlink(directory_of(pid) + link, gone).string();
}

std::map<std::string, std::string> status_of_process(pid_t pid) {
  std::map<std::string, std::string> fields;
  std::istringstream lines(proc_text(pid, "status"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) fields[line.substr(0, colon)] = squeeze(line.substr(colon + 1));
  }
  return fields;
}

std::vector<std::string> posture(pid_t pid) {
  std::vector<std::string> lines;
  add_status(pid, lines);
  add_namespaces(pid, lines);
  add_ids(pid, lines);
  lines.push_back("cwd " + proc_link(pid, "cwd"));
  lines.push_back("root " + proc_link(pid, "root"));
  add_limits(pid, lines);
  add_mounts(pid, lines);
  add_descriptors(pid, lines);
  return lines;
}

}  // namespace sandbox::test
