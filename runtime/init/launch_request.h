#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fs/root_file_system.h"
#include "isolation/id_map.h"
#include "sandbox/options.h"

namespace sandbox {

/// How the id maps of a new user namespace come about.
enum class MapWriter : uint32_t {
  Self,        ///< The new process maps its own id: needs no privilege.
  Newuidmap,   ///< newuidmap(1) and newgidmap(1), for subordinate ids.
  Privileged,  ///< The launcher itself, whose caller was root: it kept CAP_SETUID and CAP_SETGID.
};

/// Asks the launcher for a sandbox: host to launcher. One descriptor comes with it: init's end of
/// the control socket, on which every answer is given.
struct LaunchRequest {
  RootRequest root;
  IdMap ids;
  MapWriter map_writer = MapWriter::Self;
  bool own_network = true;
  std::vector<std::byte> allow_filter;  ///< sock_filter[] for init and all that it starts.
  std::vector<std::byte> deny_filter;   ///< Stacked above it on commands, for init must do more.

  std::vector<std::byte> encode() const;
  static LaunchRequest decode(std::span<const std::byte> payload);
};

}  // namespace sandbox
