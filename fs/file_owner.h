#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sandbox {

class FileAgent;

/// A user of the sandbox as the host sees it: whom file operations act for.
struct FileOwner {
  std::string name;
  std::string home;  ///< Absolute path inside. Empty: relative paths are refused.
  uid_t host_uid = 0;
  gid_t host_gid = 0;
  uid_t uid = 0;  ///< The same ids inside the sandbox.
  gid_t gid = 0;
  /// Does what this process is denied. Null: then it is denied.
  std::shared_ptr<FileAgent> agent = {};
  /// Nothing is tried by this process itself, as it cannot act for this user at all.
  bool agent_only = false;
};

/// Turns ids of the host into what a process in the sandbox would see.
struct IdNames {
  struct Range {
    uint32_t inside = 0;
    uint32_t outside = 0;
    uint32_t count = 1;
  };
  std::vector<Range> uids;
  std::vector<Range> gids;
  std::map<uint32_t, std::string> users;   ///< By id inside.
  std::map<uint32_t, std::string> groups;  ///< By id inside.

  /// The name, else the number; ids without a mapping are 65534, as user_namespaces(7) has it.
  std::string user(uid_t host_uid) const;
  std::string group(gid_t host_gid) const;
};

}  // namespace sandbox
