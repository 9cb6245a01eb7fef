#include "runtime/listening_port.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string>

#include "proc/control_call.h"
#include "runtime/base/kernel_file.h"

namespace sandbox {
namespace {

constexpr const char* kListen = "0A";  // TCP_LISTEN of linux/tcp_states.h.

constexpr std::size_t kLargestTable = 64 << 20;

// "0100007F:1F90": the port behind the colon, in hexadecimal.
uint16_t port_of(std::string_view address) {
  const std::string_view digits = address.substr(address.rfind(':') + 1);
  uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
  return port;
}

}  // namespace

bool has_listener(std::string_view table, uint16_t port) {
  std::istringstream lines{std::string(table)};
  std::string number;
  std::string local;
  std::string remote;
  std::string state;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (words >> number >> local >> remote >> state && state == kListen && port_of(local) == port) {
      return true;
    }
  }
  return false;
}

bool is_listening(const MessageSocket& control, uint16_t port) {
  const ControlCall::Answer tables = ControlCall(control, GetTcpTables{}).wait(kInitPatience);
  return std::any_of(tables.fds.begin(), tables.fds.end(), [port](const UniqueFd& table) {
    return has_listener(read_to_end(table.get(), "/proc/net/tcp", kLargestTable), port);
  });
}

}  // namespace sandbox
