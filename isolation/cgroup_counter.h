#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sandbox {

/// The texts of cgroupfs, for the host and for PID 1, which has descriptors of a few such files.

/// The number behind `key` in lines of `key number`; 0 when there is none.
uint64_t find_counter(std::string_view text, std::string_view key) noexcept;

/// All numbers of `key=number` together, whatever else stands on the lines.
uint64_t sum_of(std::string_view text, std::string_view key) noexcept;

/// A number on a line of its own; nothing for "max" and for anything else.
std::optional<uint64_t> parse_number(std::string_view text) noexcept;

/// True when `word` is one of the words of `text`.
bool has_word(std::string_view text, std::string_view word) noexcept;

/// The same of an open file, read from its beginning. Not open, or gone: 0 and nothing.
uint64_t read_counter(int fd, std::string_view key) noexcept;
std::optional<uint64_t> read_number(int fd) noexcept;

}  // namespace sandbox
