#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sandbox/stats.h"

namespace sandboxctl {

/// A sandbox's statistics as an object of a document; null what is not counted.
nlohmann::ordered_json stats_fields(const sandbox::SandboxStats& stats);

/// The same for people, a line for each.
std::string stats_table(const sandbox::SandboxStats& stats);

/// Statistics again and again, a line each time.
class StatsStream {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// The names of the columns.
  static std::string head();
  /// One line, `at` a moment later than that of the line before. Processor time is that of the time
  /// in between, in percent of one processor; the first line has none.
  std::string line(const sandbox::SandboxStats& stats, Time at);
  /// The same as a document, with the time of day.
  std::string document(const sandbox::SandboxStats& stats, Time at,
                       std::chrono::system_clock::time_point now);

 private:
  std::optional<double> cpu_percent(const sandbox::SandboxStats& stats, Time at);

  std::optional<std::chrono::microseconds> cpu_before_;
  Time before_;
};

}  // namespace sandboxctl
