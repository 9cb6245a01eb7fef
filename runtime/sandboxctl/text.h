#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sandboxctl {

/// One character of a text that may not be UTF-8.
struct Character {
  size_t length = 1;        ///< Bytes it takes, at least 1.
  uint32_t code_point = 0;  ///< Meaningful when `valid`.
  bool valid = false;       ///< False for a byte that begins no well-formed UTF-8 sequence.
};

/// The first character of `text`, which must not be empty. Overlong forms and surrogates are
/// invalid.
Character first_character(std::string_view text);

/// `text` on one line that cannot steer a terminal: control characters (C0, DEL, C1), bidirectional
/// overrides and bytes that are not UTF-8 become `\n`, `\t`, `\xNN` or `\u{NNNN}`.
std::string escape_for_terminal(std::string_view text);

/// `bytes` as UTF-8 in which every byte that is not UTF-8 has become `\xNN` and every backslash
/// two. Reversible.
std::string escape_bytes(std::string_view bytes);

bool is_utf8(std::string_view text);

/// How many insertions, deletions and replacements lie between two words.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace sandboxctl
