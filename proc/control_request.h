#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "proc/kept_commands.h"
#include "proc/spawn_request.h"
#include "proc/status_message.h"
#include "sandbox/command_info.h"

namespace sandbox {

/// What a host asks of PID 1 on a control connection. The first descriptor of each message is the
/// socket for its answer, so that threads and processes that share a connection need neither a lock
/// nor request numbers. Start a command: SpawnRequest, answered as status_message.h has it.

/// A detached sandbox is on record now: from here on it outlives the connection it was made with.
struct Release {};

/// Asks for the root of the sandbox. Answer: Done, with an O_PATH descriptor of "/".
struct GetRoot {};

/// The time to live is so many milliseconds from now; 0: it has no end. Answer: Done.
struct SetTtl {
  uint64_t ttl_ms = 0;
};

/// The time to live begins anew if it is over: the sandbox is to be resumed. Answer: Done.
struct RenewTtl {};

/// Answer: State.
struct Describe {};

/// Asks for all commands. Answer: CommandList.
struct ListCommands {};

/// Asks for the output of a kept command. Descriptors: status socket, pipe for stdout, pipe for
/// stderr. Answered and fed as KeptCommands::connect says, or StartFailed.
struct ConnectRequest {
  pid_t pid = 0;  ///< 0: the newest command that `tag` names.
  std::string tag;
  uint64_t out_from = 0;
  uint64_t err_from = 0;
  Follow follow = Follow::Yes;
};

/// Sends a signal to a command, or to what is left of the tree of one that has ended. Answer:
/// Signalled.
struct SignalCommand {
  pid_t pid = 0;
  SignalRequest signal;
};

/// Asks for the namespaces that a file agent enters: user first, then uts, ipc, cgroup and network,
/// which decide what files of /proc/sys show. Answer: Done, with their descriptors.
struct GetNamespaces {};

/// Asks for what the sandbox's network has of TCP: proc(5), /proc/net/tcp and tcp6. Answer: Done,
/// with a descriptor of each that there is.
struct GetTcpTables {};

enum class LocalAddress : uint32_t { Ipv4, Ipv6 };

/// Asks for a TCP connection to a port of localhost, as the sandbox's network has it. Answer: Done,
/// with a non-blocking socket that may still be connecting; without one when the port is closed.
struct Dial {
  uint16_t port = 0;
  LocalAddress address = LocalAddress::Ipv4;
};

using ControlRequest =
    std::variant<SpawnRequest, Release, GetRoot, SetTtl, Describe, ListCommands, ConnectRequest,
                 SignalCommand, GetNamespaces, RenewTtl, GetTcpTables, Dial>;

std::vector<std::byte> encode(const ControlRequest& request);

/// Throws Error with EBADMSG.
ControlRequest decode_control_request(std::span<const std::byte> payload);

/// What PID 1 answers to everything but a SpawnRequest.

struct Done {};

/// The sandbox as its PID 1 sees it.
struct State {
  uint64_t ttl_left_ms = 0;  ///< 0: no end is set.
  uint64_t processes = 0;    ///< All of the pid namespace but PID 1, zombies included.
};

/// Running commands and ended ones that are kept, by pid.
struct CommandList {
  std::vector<CommandInfo> commands;
};

struct Signalled {
  bool existed = false;
};

using ControlReply = std::variant<Done, State, CommandList, Signalled>;

std::vector<std::byte> encode(const ControlReply& reply);

/// Throws Error with EBADMSG.
ControlReply decode_control_reply(std::span<const std::byte> payload);

}  // namespace sandbox
