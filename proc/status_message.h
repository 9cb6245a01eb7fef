#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/wire.h"
#include "sandbox/error.h"
#include "sandbox/outcome.h"
#include "sandbox/process.h"

namespace sandbox {

/// What init and host say to each other about one command, on its status socket.

/// Init: the program runs. When init has the other end of its stdin, or the master of its terminal,
/// that comes along.
struct Started {
  pid_t pid = 0;
};

/// Init: the program could not be started.
struct StartFailed {
  int error = 0;
  std::string call;
  std::string subject;
  std::string hint;
};

StartFailed to_failure(const Error& error);

/// Init: bytes of a stream are missing between those before `offset` and those that follow. Only
/// for output that init keeps; sent before what follows is written to the pipe.
struct Gap {
  Stream stream = Stream::Stdout;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// Init: the command has ended. Behind it only Gap may come; init then closes the socket.
struct Ended {
  Outcome outcome;
  Usage usage;
  bool left_daemons = false;  ///< Other processes than init were still there.
};

/// Host: send a signal.
struct SignalRequest {
  int signal = 0;
  Target target = Target::Process;
};

/// Host: closes init's end of the command's stdin.
struct CloseStdin {};

/// Host: the command is to run on when this socket is closed.
struct Detach {};

/// Throws Error with EINVAL unless there is such a signal.
void require_signal(int signal);

using StatusMessage =
    std::variant<Started, StartFailed, Ended, SignalRequest, Detach, Gap, CloseStdin>;

/// For other messages that carry one.
void write_outcome(WireWriter& out, const Outcome& outcome);
Outcome read_outcome(WireReader& in);

std::vector<std::byte> encode(const StatusMessage& message);

/// Throws Error with EBADMSG.
StatusMessage decode_status(std::span<const std::byte> payload);

}  // namespace sandbox
