#include "runtime/sandboxctl/signal_names.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

namespace sandboxctl {
namespace {

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> valid(std::optional<int> signal) {
  return signal && *signal >= 1 && *signal <= SIGRTMAX ? signal : std::nullopt;
}

// `+3` behind RTMIN, `-1` behind RTMAX, or nothing.
std::optional<int> parse_real_time(std::string_view text, int base, char sign) {
  if (text.empty()) return base;
  if (text.front() != sign) return std::nullopt;
  const auto offset = parse_number(text.substr(1));
  if (!offset || *offset < 0) return std::nullopt;
  const int signal = sign == '+' ? base + *offset : base - *offset;
  return signal >= SIGRTMIN && signal <= SIGRTMAX ? std::optional(signal) : std::nullopt;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (const auto number = parse_number(name)) return valid(number);
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (name.starts_with("RTMIN")) return parse_real_time(name.substr(5), SIGRTMIN, '+');
  if (name.starts_with("RTMAX")) return parse_real_time(name.substr(5), SIGRTMAX, '-');
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* const known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  return std::nullopt;
}

std::string signal_name(int signal) {
  if (const char* const name = ::sigabbrev_np(signal)) return std::string("SIG") + name;
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  }
  return std::to_string(signal);
}

}  // namespace sandboxctl
