#include "templates/local_url.h"

#include <algorithm>
#include <charconv>

namespace sandbox {
namespace {

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

bool is_local(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

// What follows the host: nothing, or ':' and a number from 1 to 65535.
std::optional<uint16_t> port_of(std::string_view text) {
  constexpr uint16_t kHttp = 80;
  if (text.empty()) return kHttp;
  text.remove_prefix(1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && port != 0 ? std::optional(port) : std::nullopt;
}

}  // namespace

std::optional<LocalUrl> parse_local_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme) || !std::all_of(url.begin(), url.end(), is_visible)) return {};
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('#'));
  const std::string_view authority = url.substr(0, url.find_first_of("/?"));
  const std::string_view path = url.substr(authority.size());
  const std::size_t bracket = authority.find(']') + 1;  // npos + 1 is 0.
  const std::string_view host = authority.substr(0, authority.find(':', bracket));
  const std::optional<uint16_t> port = port_of(authority.substr(host.size()));
  if (!is_local(host) || !port) return {};
  LocalUrl parts{.host = std::string(authority), .port = *port, .path = std::string(path)};
  if (!path.starts_with('/')) parts.path.insert(parts.path.begin(), '/');
  return parts;
}

}  // namespace sandbox
