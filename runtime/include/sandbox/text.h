#pragma once

#include <string>
#include <string_view>

namespace sandbox {

// A sandbox chooses the names of its files and the words of its output: before they reach a
// terminal or a document, they go through one of these.

/// `bytes` as a terminal can show it without being driven by it: control characters, bytes that are
/// not UTF-8, and characters that hide or reorder others (U+200B, U+202E, ...) become `\x1b` or
/// `\u{202e}`, a backslash `\\`. The rest stays.
std::string escape_for_terminal(std::string_view bytes);

/// True for well-formed UTF-8, as JSON demands it.
bool is_utf8(std::string_view bytes) noexcept;

/// `bytes` when they are UTF-8; else with `%XX` for each byte that is none and `%25` for '%', so
/// that nothing is lost.
std::string to_utf8(std::string_view bytes);

}  // namespace sandbox
