#include "runtime/sandboxctl/units.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <limits>

namespace sandboxctl {
namespace {

using std::chrono::milliseconds;

constexpr double kLongestMs = 10.0 * 365 * 24 * 3600 * 1000;

struct Unit {
  std::string_view suffix;
  double milliseconds;
};
constexpr Unit kUnits[] = {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}};

std::string printed(const char* form, double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, form, value, unit);
  return text;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  const std::string_view suffix = text.substr(number.size());

  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;

  for (const Unit& unit : kUnits) {
    if (unit.suffix != suffix) continue;
    const double ms = std::ceil(value * unit.milliseconds);
    if (ms < 1 || ms > kLongestMs) return std::nullopt;
    return milliseconds(static_cast<int64_t>(ms));
  }
  return std::nullopt;
}

std::optional<int64_t> parse_size(std::string_view text) {
  constexpr std::string_view kSuffixes = "KMGT";
  int shift = 0;
  if (!text.empty()) {
    const size_t suffix = kSuffixes.find(text.back());
    if (suffix != std::string_view::npos) {
      shift = 10 * (static_cast<int>(suffix) + 1);
      text.remove_suffix(1);
    }
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value <= 0 || value > std::numeric_limits<int64_t>::max() >> shift) return std::nullopt;
  return value << shift;
}

std::string format_duration(std::chrono::microseconds duration) {
  const auto us = static_cast<double>(duration.count());
  if (us < 1e3) return printed("%.0f %s", us, "us");
  if (us < 1e6)
    return printed(us < 1e4 ? "%.2f %s" : us < 1e5 ? "%.1f %s" : "%.0f %s", us / 1e3, "ms");
  return printed("%.2f %s", us / 1e6, "s");
}

std::string format_age(std::chrono::system_clock::duration age) {
  const auto seconds =
      std::max<int64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count(), 0);
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

std::string format_utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
  return text;
}

std::string format_size(uint64_t bytes) {
  constexpr const char* kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  while (unit < std::size(kNames) - 1 && bytes >> (10 * (unit + 1)) != 0) ++unit;
  const double value = std::ldexp(static_cast<double>(bytes), -10 * static_cast<int>(unit));
  return printed(unit == 0 ? "%.0f %s" : "%.1f %s", value, kNames[unit]);
}

}  // namespace sandboxctl
