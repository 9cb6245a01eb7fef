#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proc/kept_stream.h"
#include "runtime/base/wire.h"
#include "sandbox/process.h"

namespace sandbox {

/// Asks PID 1 to start a command: a ControlRequest.
///
/// Descriptors, in this order: status socket, stdout, stderr and, if `has_stdin` and the command is
/// not kept, stdin; init makes that of a kept one, and its end comes back with Started. When the
/// host closes its end of the status socket without Detach before it, everything that the command
/// started is killed, unless it is kept.
struct SpawnRequest {
  std::vector<std::string> argv;
  std::vector<std::string> env;       ///< "NAME=value"; all that the command gets.
  std::vector<std::string> programs;  ///< Paths to try, in PATH order: execvp(3).
  std::string cwd;                    ///< Absolute, inside.
  uid_t uid = 0;                      ///< Inside. So are the two below.
  gid_t gid = 0;
  std::vector<gid_t> groups;
  uint64_t timeout_ms = 0;  ///< Wall-clock limit; 0 is none.
  uint64_t cpu_ms = 0;      ///< Of the whole tree; 0 is no limit.
  uint64_t idle_ms = 0;     ///< The longest time without output; 0 is no limit.
  bool has_stdin = false;
  OutputPolicy output = {.output = Output::Piped};
  std::string tag;  ///< The caller's name for it.
  /// A terminal of this size takes the place of the three streams. Its master comes with Started;
  /// of the descriptors, stdout and stderr come only when init is to pump the output.
  std::optional<TerminalSize> terminal;

  void encode(WireWriter& out) const;
  static SpawnRequest decode(WireReader& in);
};

}  // namespace sandbox
