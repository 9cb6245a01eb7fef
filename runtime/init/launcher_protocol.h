#pragma once

#include <string_view>

namespace sandbox {

/// How the library starts sandbox-init as a launcher: `sandbox-init --launcher UID GID`, with the
/// launcher's end of a SOCK_SEQPACKET connection as this descriptor. UID and GID are what a
/// launcher with euid 0 becomes.
inline constexpr std::string_view kLauncherMode = "--launcher";
inline constexpr int kLauncherSocketFd = 3;

/// A message with a payload is a LaunchRequest. One without asks for a file agent
/// (run_file_agent()); its descriptors are the agent's end of a connection, then namespaces. There
/// is no answer but the connection's end when that fails.

}  // namespace sandbox
