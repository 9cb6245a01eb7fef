#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sandboxctl {

/// Colours, as SGR parameters.
inline constexpr const char* kRed = "31";
inline constexpr const char* kGreen = "32";
inline constexpr const char* kYellow = "33";
inline constexpr const char* kBlue = "34";
inline constexpr const char* kCyan = "36";

bool is_terminal(int fd) noexcept;

/// stdout is a terminal and the user has not set NO_COLOR.
bool colour_wanted();

/// Columns of the terminal at `fd`; 80 when it does not say.
size_t terminal_width(int fd) noexcept;

/// `text` in `colour`, or as it is when colours are not wanted.
std::string coloured(std::string text, const char* colour, bool wanted);

/// How many characters `text` has, which is the width of most.
size_t width_of(std::string_view text);

/// The first `width` characters of `text`.
std::string_view cut(std::string_view text, size_t width);

/// Writes what was asked for to stdout. Ends this process by SIGPIPE when its reader has gone, as
/// cat(1) does; throws Failure for everything else. For verbs that leave nothing to clean up.
void print_output(std::string_view text);

}  // namespace sandboxctl
