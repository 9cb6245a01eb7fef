#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/message_socket.h"

namespace sandbox {

/// Asks PID 1 to start a command: host to init, on the control socket.
///
/// Descriptors, in this order: status socket, stdout, stderr and, if `has_stdin`, stdin.
struct SpawnRequest {
  std::vector<std::string> argv;
  std::vector<std::string> env;       ///< "NAME=value"; all that the command gets.
  std::vector<std::string> programs;  ///< Paths to try, in PATH order: execvp(3).
  std::string cwd;                    ///< Absolute, inside.
  uid_t uid = 0;                      ///< Inside. So are the two below.
  gid_t gid = 0;
  std::vector<gid_t> groups;
  uint64_t timeout_ms = 0;  ///< Wall-clock limit; 0 is none.
  bool has_stdin = false;

  void send(const MessageSocket& control, std::span<const int> fds) const;
  static SpawnRequest decode(std::span<const std::byte> payload);
};

}  // namespace sandbox
