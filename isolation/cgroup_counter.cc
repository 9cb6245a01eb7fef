#include "isolation/cgroup_counter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace sandbox {
namespace {

// What stands before the first of `separators`, which is cut off `text`.
std::string_view take_until(std::string_view& text, std::string_view separators) noexcept {
  const std::string_view part = text.substr(0, text.find_first_of(separators));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

// All of these files are shorter than a page.
std::string_view read_into(int fd, std::span<char> buffer) noexcept {
  const ssize_t got = fd < 0 ? -1 : ::pread(fd, buffer.data(), buffer.size(), 0);
  return {buffer.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
}

}  // namespace

uint64_t find_counter(std::string_view text, std::string_view key) noexcept {
  while (!text.empty()) {
    std::string_view line = take_until(text, "\n");
    if (take_until(line, " ") == key) return parse_number(line).value_or(0);
  }
  return 0;
}

uint64_t sum_of(std::string_view text, std::string_view key) noexcept {
  uint64_t sum = 0;
  while (!text.empty()) {
    std::string_view word = take_until(text, " \n");
    if (take_until(word, "=") == key) sum += parse_number(word).value_or(0);
  }
  return sum;
}

std::optional<uint64_t> parse_number(std::string_view text) noexcept {
  const std::string_view line = take_until(text, "\n");
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || end != line.data() + line.size()) return std::nullopt;
  return value;
}

bool has_word(std::string_view text, std::string_view word) noexcept {
  while (!text.empty()) {
    if (take_until(text, " \n") == word) return true;
  }
  return false;
}

uint64_t read_counter(int fd, std::string_view key) noexcept {
  std::array<char, 4096> buffer{};
  return find_counter(read_into(fd, buffer), key);
}

std::optional<uint64_t> read_number(int fd) noexcept {
  std::array<char, 64> buffer{};
  return parse_number(read_into(fd, buffer));
}

}  // namespace sandbox
