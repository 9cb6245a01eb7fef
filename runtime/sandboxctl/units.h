#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandboxctl {

/// `500ms`, `10s`, `5m`, `1h`; a bare number is seconds; fractions are fine (`1.5s`). Nothing for
/// anything else, for zero, and for more than ten years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// `850 us`, `1.25 ms`, `2.50 s`: three digits.
std::string format_duration(std::chrono::microseconds duration);

/// `12s`, `5m`, `3h`, `2d`: whole units, rounded down; 0s for less.
std::string format_age(std::chrono::system_clock::duration age);

/// RFC 3339 in UTC, whole seconds: `2031-05-04T03:02:01Z`.
std::string format_utc(std::chrono::system_clock::time_point time);

/// `64K`, `512M`, `2G`, `1T`: powers of 1024; a bare number is bytes. Nothing for anything else:
/// zero, fractions, and what does not fit.
std::optional<int64_t> parse_size(std::string_view text);

/// `512 B`, `1.2 MiB`: powers of 1024.
std::string format_size(uint64_t bytes);

}  // namespace sandboxctl
