#pragma once

#include <cstddef>
#include <string>

#include "runtime/host_identity.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Where the library keeps what outlives a process: generated layers, and the changes of sandboxes
/// that keep them on disk. 0700, or 0711 with euid 0, whose sandboxes must reach into it.
class DataDirectory {
 public:
  /// Where it is or would be: `configured`, else $SANDBOX_HOME, else the default of the caller.
  /// Throws Error with ENOENT when HOME is needed and not set.
  static std::string locate(const std::string& configured, const HostIdentity& identity);

  /// `configured`, else $SANDBOX_HOME, else the default of the caller; made if it is missing.
  /// Throws Error: EACCES or EPERM when it belongs to somebody else or others may write to it.
  DataDirectory(const std::string& configured, const HostIdentity& identity);

  const std::string& path() const noexcept { return path_; }
  const HostIdentity& identity() const noexcept { return identity_; }

 private:
  std::string path_;
  HostIdentity identity_;
};

/// The directory that holds the upper layer of one sandbox. Locked while this lives; removed with
/// it.
class BoxDirectory {
 public:
  explicit BoxDirectory(const DataDirectory& data);
  BoxDirectory(BoxDirectory&&) noexcept = default;
  BoxDirectory& operator=(BoxDirectory&&) noexcept = default;
  ~BoxDirectory();

  /// Has `upper` and `work` in it.
  const std::string& path() const noexcept { return path_; }

  /// Held while the sandbox lives, by this object or by whoever has a copy.
  int lock() const noexcept { return lock_.get(); }
  /// Leaves it to another holder of the lock.
  void keep() noexcept { lock_.reset(); }

  /// Removes everything. Throws Error.
  void remove();

 private:
  std::string path_;
  UniqueFd lock_;
};

/// Removes the BoxDirectory at `path` unless somebody holds its lock. Throws Error.
void remove_dead_box(const std::string& path);

/// Removes the directories of sandboxes whose owner has died, which is when nobody holds the lock.
/// Acts for whom the thread acts. Returns how many it may not remove: they have files of
/// subordinate ids.
std::size_t collect_dead_boxes(const DataDirectory& data);

}  // namespace sandbox
