#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

/// http://localhost:8080/health, in parts.
struct LocalUrl {
  std::string host;  ///< With the port, as the header Host has it.
  uint16_t port = 80;
  std::string path;  ///< With the query; begins with '/'.
};

/// Nothing for any other scheme, for a host that is not localhost, 127.0.0.1 or [::1], and for
/// characters that a request cannot have.
std::optional<LocalUrl> parse_local_url(std::string_view url);

}  // namespace sandbox
