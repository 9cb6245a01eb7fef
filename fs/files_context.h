#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fs/file_owner.h"
#include "fs/root_dir.h"

namespace sandbox {

class WatchHub;

/// What the Files of one sandbox share: its root, its users. Safe to use from several threads.
class FilesContext {
 public:
  struct Setup {
    UniqueFd root;                  ///< O_PATH, of the sandbox's "/".
    std::vector<uint64_t> volumes;  ///< Mount ids of its other ordinary file systems: see RootDir.
    std::map<std::string, FileOwner> users;  ///< By name.
    std::shared_ptr<FileAgent> agent;        ///< For what is denied to this process; may be null.
    std::string default_user = "user";
    IdNames names;
    std::shared_ptr<WatchHub> hub;  ///< Shared by the sandboxes of a Runtime; null: one of its own.
  };

  /// Users for whom this process may not act are left to the agent; without one, operations for
  /// them fail with EPERM. Throws Error: EINVAL when a user maps to root of the host, which must
  /// never be.
  explicit FilesContext(Setup setup);

  /// Lets go of the root, ends the agent and all watchers: a held descriptor keeps mounts, disk
  /// space and layers of a dead sandbox alive. Operations in other threads finish; later ones throw
  /// EPIPE.
  void close() noexcept;

  /// Throws Error: EPIPE after close().
  std::shared_ptr<const RootDir> root() const;
  /// By name or uid inside; "" is the default user. Throws Error: EINVAL for an unknown one.
  const FileOwner& owner(const std::string& user) const;
  const IdNames& names() const noexcept { return names_; }
  const std::shared_ptr<WatchHub>& hub() const noexcept { return hub_; }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const RootDir> root_;
  std::map<std::string, FileOwner> users_;
  std::shared_ptr<FileAgent> agent_;
  std::string default_user_;
  IdNames names_;
  std::shared_ptr<WatchHub> hub_;
};

}  // namespace sandbox
