#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sandbox/error.h"

namespace sandbox {

/// What launcher and init answer while a sandbox is created, on its control socket.

/// Launcher: the process exists. Its pidfd comes with the message.
struct Cloned {
  pid_t host_pid = 0;
};

/// How long one step of init took.
struct TimedStep {
  std::string name;
  uint64_t microseconds = 0;
};

/// Init: commands can be started. O_PATH descriptor of the root comes with the message.
struct Ready {
  std::vector<TimedStep> steps;
  int landlock_abi = 0;           ///< 0: the kernel has none.
  std::string landlock_weakness;  ///< Why Landlock is not enforced; empty when it is.
};

/// Either: the sandbox could not be made. Nothing of it is left.
struct SetupFailed {
  std::string step;
  int error = 0;
  std::string call;
  std::string subject;
  std::string hint;

  static SetupFailed from(const std::string& step, const Error& error);
};

using SetupReport = std::variant<Cloned, Ready, SetupFailed>;

std::vector<std::byte> encode(const SetupReport& report);

/// Throws Error with EBADMSG.
SetupReport decode_setup_report(std::span<const std::byte> payload);

}  // namespace sandbox
