#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sandboxctl {

/// `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-1`: 1 to 64. Nothing for anything else.
std::optional<int> parse_signal(std::string_view text);

/// `SIGTERM`, `SIGRTMIN+3`.
std::string signal_name(int signal);

}  // namespace sandboxctl
