#include "isolation/subordinate_ids.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace sandbox {
namespace {

// Decimal digits only, and no more than fit.
std::optional<uint32_t> parse_id(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes everything before `separator` off the front of `text`, and the separator.
std::string_view take_until(char separator, std::string_view& text) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

// The range in `line` if it is the user's; a count of 0 if the line is of no use.
IdRange range_of(std::string_view line, std::string_view user_name, uid_t uid) {
  const std::string_view owner = take_until(':', line);
  if (owner.empty() || (owner != user_name && parse_id(owner) != uid)) return {};
  const std::optional<uint32_t> first = parse_id(take_until(':', line));
  const std::optional<uint32_t> count = parse_id(line);
  if (!first || !count) return {};
  return {.first = *first, .count = *count};
}

bool can_be_mapped(IdRange range, uid_t uid) {
  const uint64_t end = uint64_t{range.first} + range.count;
  const bool contains_user = uid >= range.first && uid < end;
  return range.first != 0 && range.count != 0 && end <= UINT32_MAX && !contains_user;
}

}  // namespace

std::optional<IdRange> find_subordinate_range(std::string_view text, std::string_view user_name,
                                              uid_t uid, uint32_t at_least) {
  while (!text.empty()) {
    const IdRange range = range_of(take_until('\n', text), user_name, uid);
    if (can_be_mapped(range, uid) && range.count >= at_least) return range;
  }
  return std::nullopt;
}

}  // namespace sandbox
