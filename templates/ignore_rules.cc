#include "templates/ignore_rules.h"

#include <fcntl.h>
#include <fnmatch.h>

#include <cerrno>
#include <filesystem>
#include <span>
#include <sstream>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

using Names = std::span<const std::string>;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> names;
  for (const auto& name : std::filesystem::path(path).lexically_normal()) {
    if (name != "/" && name != "." && !name.empty()) names.push_back(name);
  }
  return names;
}

// True when `pattern` matches `names` or a directory above them.
bool matches(Names pattern, Names names) {
  if (pattern.empty()) return true;
  if (pattern.front() == "**") {
    if (pattern.size() == 1) return !names.empty();
    return matches(pattern.subspan(1), names) ||
           (!names.empty() && matches(pattern, names.subspan(1)));
  }
  return !names.empty() && ::fnmatch(pattern.front().c_str(), names.front().c_str(), 0) == 0 &&
         matches(pattern.subspan(1), names.subspan(1));
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kWhite = " \t\r";
  const std::size_t begin = line.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kWhite) - begin + 1);
}

}  // namespace

IgnoreRules::IgnoreRules(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string whole; std::getline(lines, whole);) {
    std::string_view line = trimmed(whole);
    if (line.empty() || line.front() == '#') continue;
    Rule rule{.names = {}, .exception = line.front() == '!'};
    if (rule.exception) line.remove_prefix(1);
    rule.names = split(trimmed(line));
    if (!rule.names.empty()) rules_.push_back(std::move(rule));
  }
}

IgnoreRules IgnoreRules::of_directory(const std::string& directory) {
  constexpr std::size_t kLargest = 1 << 20;
  const std::string path = directory + "/.dockerignore";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return IgnoreRules("");
  check(file.get(), "open", path);
  return IgnoreRules(read_to_end(file.get(), path, kLargest));
}

bool IgnoreRules::ignores(std::string_view path) const {
  const std::vector<std::string> names = split(path);
  bool ignored = false;
  for (const Rule& rule : rules_) {
    if (rule.exception == ignored && matches(rule.names, names)) ignored = !rule.exception;
  }
  return ignored;
}

}  // namespace sandbox
