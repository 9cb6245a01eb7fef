#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fs/file_owner.h"
#include "proc/command_context.h"
#include "proc/verdict.h"
#include "sandbox/sandbox.h"

namespace sandbox {

/// What a host has to know of one sandbox besides its descriptors: all that does not change while
/// it lives. Of a detached one it is on record in the run directory, for whoever attaches to it.
struct BoxRecord {
  std::string id;
  std::string name;
  std::string template_name;
  std::map<std::string, std::string> metadata;
  int64_t created_ms = 0;  ///< Since the epoch.
  std::string default_user;
  std::string default_cwd;  ///< Empty: the user's home.
  std::map<std::string, std::string> env;
  std::map<std::string, CommandUser> users;  ///< Those that the id map has.
  IdNames names;
  std::vector<uint64_t> volumes;  ///< Mount ids: RootDir.
  std::vector<IsolationLayer> layers;
  std::string cgroup;  ///< Directory; empty when it has none of its own.
  KnownLimits limits;
  TtlAction ttl_action = TtlAction::Kill;
  std::string box_directory;  ///< With its changes on a disk; empty when they are in memory.

  /// JSON, for people to look at as well. Strings that are not UTF-8 become {"hex": "…"}.
  std::string to_json() const;

  /// Throws Error: EBADMSG for anything that to_json does not write, EPROTO for a later version.
  static BoxRecord from_json(std::string_view text);
};

}  // namespace sandbox
