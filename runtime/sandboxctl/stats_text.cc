#include "runtime/sandboxctl/stats_text.h"

#include <array>
#include <cstdio>

#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;
using sandbox::SandboxStats;

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  if constexpr (std::is_same_v<T, std::chrono::microseconds>) {
    return value ? ordered_json(value->count()) : ordered_json();
  } else {
    return value ? ordered_json(*value) : ordered_json();
  }
}

const char* state_of(const SandboxStats& stats) { return stats.paused ? "paused" : "running"; }

std::string stats_row(const std::string& name, const std::string& value) {
  constexpr size_t kColumn = 12;
  std::string text = name;
  text.resize(kColumn, ' ');
  return text + value + "\n";
}

std::string size_of(const std::optional<uint64_t>& bytes) {
  return bytes ? format_size(*bytes) : "-";
}

std::string count_of(const std::optional<uint64_t>& count) {
  return count ? std::to_string(*count) : "-";
}

std::string time_of(const std::optional<std::chrono::microseconds>& time) {
  return time ? format_duration(*time) : "-";
}

constexpr const char* kColumns = "%-8s %10s %10s %6s %7s %10s\n";

std::string columns(const std::array<std::string, 6>& cells) {
  std::array<char, 256> text{};
  const int size =
      std::snprintf(text.data(), text.size(), kColumns, cells[0].c_str(), cells[1].c_str(),
                    cells[2].c_str(), cells[3].c_str(), cells[4].c_str(), cells[5].c_str());
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string percent(const std::optional<double>& value) {
  if (!value) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", *value);
  return text.data();
}

}  // namespace

ordered_json stats_fields(const SandboxStats& stats) {
  return {{"paused", stats.paused},
          {"memory_bytes", or_null(stats.memory_bytes)},
          {"memory_peak_bytes", or_null(stats.memory_peak_bytes)},
          {"memory_limit_bytes", or_null(stats.memory_limit_bytes)},
          {"pids", or_null(stats.pids)},
          {"pids_limit", or_null(stats.pids_limit)},
          {"cpu_user_us", or_null(stats.cpu_user)},
          {"cpu_system_us", or_null(stats.cpu_system)},
          {"cpu_throttled_us", or_null(stats.cpu_throttled)},
          {"oom_kills", stats.oom_kills},
          {"refused_forks", stats.refused_forks},
          {"disk_bytes", or_null(stats.disk_bytes)},
          {"disk_limit_bytes", or_null(stats.disk_limit_bytes)},
          {"disk_read_bytes", or_null(stats.disk_read_bytes)},
          {"disk_written_bytes", or_null(stats.disk_written_bytes)}};
}

std::string stats_table(const SandboxStats& stats) {
  std::string text = stats_row("state", state_of(stats));
  text +=
      stats_row("memory", size_of(stats.memory_bytes) + " of " + size_of(stats.memory_limit_bytes) +
                              ", peak " + size_of(stats.memory_peak_bytes));
  text += stats_row("pids", count_of(stats.pids) + " of " + count_of(stats.pids_limit));
  text += stats_row("cpu", time_of(stats.cpu_user) + " user, " + time_of(stats.cpu_system) +
                               " system, " + time_of(stats.cpu_throttled) + " throttled");
  text += stats_row("disk", size_of(stats.disk_bytes) + " of " + size_of(stats.disk_limit_bytes));
  text += stats_row("disk i/o", size_of(stats.disk_read_bytes) + " read, " +
                                    size_of(stats.disk_written_bytes) + " written");
  text += stats_row("oom kills", std::to_string(stats.oom_kills));
  text += stats_row("no fork", std::to_string(stats.refused_forks));
  return text;
}

std::string StatsStream::head() {
  return columns({"STATE", "MEMORY", "PEAK", "PIDS", "CPU", "DISK"});
}

std::string StatsStream::line(const SandboxStats& stats, Time at) {
  return columns({state_of(stats), size_of(stats.memory_bytes), size_of(stats.memory_peak_bytes),
                  count_of(stats.pids), percent(cpu_percent(stats, at)),
                  size_of(stats.disk_bytes)});
}

std::string StatsStream::document(const SandboxStats& stats, Time at,
                                  std::chrono::system_clock::time_point now) {
  ordered_json fields = {{"time", format_utc(now)}};
  fields.update(stats_fields(stats));
  fields["cpu_percent"] = or_null(cpu_percent(stats, at));
  return dump_line(fields);
}

std::optional<double> StatsStream::cpu_percent(const SandboxStats& stats, Time at) {
  if (!stats.cpu_user || !stats.cpu_system) return std::nullopt;
  const std::chrono::microseconds used = *stats.cpu_user + *stats.cpu_system;
  const std::optional<std::chrono::microseconds> used_before = cpu_before_;
  const std::chrono::duration<double, std::micro> passed = at - before_;
  cpu_before_ = used;
  before_ = at;
  if (!used_before) return std::nullopt;
  return 100.0 * static_cast<double>((used - *used_before).count()) / passed.count();
}

}  // namespace sandboxctl
