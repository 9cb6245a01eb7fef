#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sandbox {

enum class SandboxState {
  Running,
  /// Its PID 1 does not answer, because somebody outside has stopped it. Destroying works.
  Unresponsive,
};

/// A sandbox at one moment.
struct SandboxInfo {
  std::string id;    ///< 12 hexadecimal digits.
  std::string name;  ///< May be empty.
  std::string template_name;
  std::string user;                             ///< Whom commands run as unless told otherwise.
  std::map<std::string, std::string> metadata;  ///< As given when it was created.
  std::chrono::system_clock::time_point created;
  /// When it ends by itself. Nothing: never.
  std::optional<std::chrono::system_clock::time_point> ends;
  SandboxState state = SandboxState::Running;
  uint64_t processes = 0;  ///< Beside its PID 1. 0 when it does not answer.
  pid_t host_pid = 0;      ///< PID 1 as the host sees it.
};

}  // namespace sandbox
