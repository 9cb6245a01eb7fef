#include "runtime/local_http.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "proc/control_call.h"
#include "runtime/base/deadline.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

bool wait_for(int fd, short events, TimePoint deadline) {
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, milliseconds_until(deadline)) > 0;
}

UniqueFd connect_to(const MessageSocket& control, const LocalUrl& url, LocalAddress address,
                    TimePoint deadline) {
  ControlCall::Answer answer =
      ControlCall(control, Dial{.port = url.port, .address = address}).wait(kInitPatience);
  if (answer.fds.empty()) return UniqueFd();
  UniqueFd socket = std::move(answer.fds.front());
  int error = 0;
  socklen_t size = sizeof error;
  if (!wait_for(socket.get(), POLLOUT, deadline) ||
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return UniqueFd();
  }
  return socket;
}

UniqueFd connect_to(const MessageSocket& control, const LocalUrl& url, TimePoint deadline) {
  UniqueFd socket = connect_to(control, url, LocalAddress::Ipv4, deadline);
  return socket ? std::move(socket) : connect_to(control, url, LocalAddress::Ipv6, deadline);
}

// "HTTP/1.1 200 OK": 12 bytes tell.
constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::size_t kStatusEnd = kVersion.size() + std::string_view("1 200").size();

std::string read_status_line(int socket, TimePoint deadline) {
  std::string line;
  std::array<char, kStatusEnd> buffer{};
  while (line.size() < kStatusEnd && wait_for(socket, POLLIN, deadline)) {
    const ssize_t got = ::recv(socket, buffer.data(), kStatusEnd - line.size(), 0);
    if (got <= 0) break;
    line.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return line;
}

std::optional<int> parse_status(std::string_view line) {
  if (line.size() < kStatusEnd || !line.starts_with(kVersion)) return std::nullopt;
  const std::string_view digits = line.substr(kVersion.size() + 2);
  int status = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  return whole ? std::optional(status) : std::nullopt;
}

}  // namespace

std::optional<int> ask_local_server(const MessageSocket& control, const LocalUrl& url,
                                    TimePoint deadline) {
  const UniqueFd socket = connect_to(control, url, deadline);
  if (!socket) return std::nullopt;
  // 1.0: no chunks, and the connection ends with the answer.
  const std::string request = "GET " + url.path + " HTTP/1.0\r\nHost: " + url.host + "\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::nullopt;
  }
  return parse_status(read_status_line(socket.get(), deadline));
}

}  // namespace sandbox
