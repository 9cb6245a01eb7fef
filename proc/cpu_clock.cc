#include "proc/cpu_clock.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "proc/process_tree.h"

namespace sandbox {
namespace {

using std::chrono::microseconds;

microseconds from_ticks(uint64_t ticks) {
  static const auto per_second = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  return microseconds(ticks * 1'000'000 / per_second);
}

// Of proc(5), stat: those behind the name, counted from the state on.
struct Stat {
  char state = 'X';
  uint64_t utime = 0;
  uint64_t stime = 0;
  uint64_t cutime = 0;
  uint64_t cstime = 0;
  uint64_t starttime = 0;
};

// Not sscanf(3), which would be a tenth of sandbox-init: it knows floating point numbers too.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

uint64_t to_number(std::string_view word) {
  uint64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

Stat read_stat(int proc, pid_t pid) {
  constexpr std::size_t kFirst = 3;  // As proc(5) counts them; the name is the second.
  const std::string text = read_proc_entry(proc, pid, "stat");
  const std::size_t name_end = text.rfind(") ");
  if (name_end == std::string::npos) return {};
  const auto words = words_of(std::string_view(text).substr(name_end + 2));
  if (words.size() <= 22 - kFirst) return {};
  return {.state = words[0].front(),
          .utime = to_number(words[14 - kFirst]),
          .stime = to_number(words[15 - kFirst]),
          .cutime = to_number(words[16 - kFirst]),
          .cstime = to_number(words[17 - kFirst]),
          .starttime = to_number(words[22 - kFirst])};
}

// How much of the time in which it could run it did run, so that nobody is charged for the load of
// others: schedstat, sched-stats.rst.
double share_of_cpu(int proc, pid_t pid) {
  const std::string text = read_proc_entry(proc, pid, "schedstat");
  const auto words = words_of(text);
  if (words.size() < 2) return 1;
  const uint64_t ran = to_number(words[0]);
  const uint64_t waited = to_number(words[1]);
  return ran + waited == 0 ? 1 : static_cast<double>(ran) / static_cast<double>(ran + waited);
}

}  // namespace

void CpuClock::look(int proc) {
  static const long cpus = std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L);
  const auto now = Clock::now();
  std::map<pid_t, Times> found;
  microseconds absorbed = reaped_ - reaped_before_;
  double running = 0;
  living_ = microseconds(0);
  for (const pid_t pid : find_tree(proc, tree_)) {
    const Stat stat = read_stat(proc, pid);
    const Times times{.born = stat.starttime,
                      .own = from_ticks(stat.utime + stat.stime),
                      .children = from_ticks(stat.cutime + stat.cstime)};
    living_ += times.own + times.children;
    const auto before = seen_.find(pid);
    if (before == seen_.end() || before->second.born != times.born) {
      if (stat.state == 'R') running += share_of_cpu(proc, pid);
    } else {
      absorbed += times.children - before->second.children;
      seen_.erase(before);
    }
    found.emplace(pid, times);
  }
  // Those left over have ended. What nobody has absorbed is gone from the kernel's books.
  microseconds ended{0};
  for (const auto& [pid, times] : seen_) ended += times.own + times.children;
  lost_ += std::max(ended - absorbed, microseconds(0));
  const std::chrono::duration<double, std::micro> elapsed = now - looked_;
  running = std::min(running, static_cast<double>(cpus));
  estimate_ += std::chrono::duration_cast<microseconds>(elapsed * running);
  seen_ = std::move(found);
  looked_ = now;
  reaped_before_ = reaped_;
}

microseconds CpuClock::used() const noexcept {
  return std::max(living_ + reaped_ + lost_, estimate_ / 2);
}

}  // namespace sandbox
