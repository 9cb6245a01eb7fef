#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sandbox/options.h"

namespace sandbox {

enum class SandboxState {
  Running,
  /// By Sandbox::pause, or because its time to live is over: TtlAction::Pause.
  Paused,
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
  /// When its time to live is over. Nothing: it has none, or it is over and has paused it.
  std::optional<std::chrono::system_clock::time_point> ends;
  TtlAction ttl_action = TtlAction::Kill;
  SandboxState state = SandboxState::Running;
  uint64_t processes = 0;  ///< Beside its PID 1. 0 when it does not answer.
  /// All of the sandbox together; nothing without a cgroup that counts it.
  std::optional<uint64_t> memory_bytes;
  pid_t host_pid = 0;  ///< PID 1 as the host sees it.
};

}  // namespace sandbox
