#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fs/root_file_system.h"
#include "isolation/id_map.h"
#include "proc/command_rlimits.h"
#include "proc/verdict.h"
#include "sandbox/options.h"

namespace sandbox {

/// How the id maps of a new user namespace come about.
enum class MapWriter : uint32_t {
  Self,        ///< The new process maps its own id: needs no privilege.
  Newuidmap,   ///< newuidmap(1) and newgidmap(1), for subordinate ids.
  Privileged,  ///< The launcher itself, whose caller was root: it kept CAP_SETUID and CAP_SETGID.
};

/// Asks the launcher for a sandbox: host to launcher.
///
/// Descriptors, in this order: init's end of the control connection, on which every answer is
/// given; if `has_listener`, a bound socket for further ones, which makes the sandbox a detached
/// one; with `has_cgroup` those of payload_cgroup.h; and what init is to keep open as long as it
/// lives, such as locks.
struct LaunchRequest {
  RootRequest root;
  IdMap ids;
  MapWriter map_writer = MapWriter::Self;
  bool own_network = true;
  bool has_listener = false;
  uid_t sudo_user = 0;  ///< Who may ask for other users besides root, if root.has_sudo.
  uint64_t ttl_ms = 0;  ///< How long the sandbox is to live; 0: forever.
  TtlAction ttl_action = TtlAction::Kill;
  bool has_cgroup = false;
  KnownLimits limits{};
  CommandRlimits rlimits{};
  std::vector<std::byte> allow_filter;  ///< sock_filter[] for init and all that it starts.
  std::vector<std::byte> deny_filter;   ///< Stacked above it on commands, for init must do more.

  std::vector<std::byte> encode() const;
  static LaunchRequest decode(std::span<const std::byte> payload);
};

}  // namespace sandbox
