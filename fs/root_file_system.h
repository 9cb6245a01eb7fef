#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fs/bind_mount.h"
#include "fs/host_path.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// A directory of the host shown read-only at `target` through an overlay of its own, not a bind:
/// sandboxes sharing a bind would share flock(2) state and inotify(7) events (measured).
struct ReadOnlyTree {
  HostPath source;
  std::string target;  ///< Name of a directory of the root, e.g. "usr".
};

/// What the root of a sandbox is made of. Built outside, mounted inside.
struct RootRequest {
  std::vector<HostPath> lowerdirs;  ///< From top to bottom; the first is our skeleton.
  std::vector<ReadOnlyTree> read_only_trees;
  /// Directory with `upper` and `work` in it. Nothing: a tmpfs, which needs Linux 6.6.
  std::optional<HostPath> upper_directory;
  std::vector<BindMount> binds;
  bool tty_group_mapped = false;  ///< gid 5 exists inside.

  void encode(WireWriter& out) const;
  static RootRequest decode(WireReader& in);
};

/// Stops mounts of the sandbox from reaching the host. Host unmounts still arrive, so that no mount
/// of the host is kept busy while we build: mount_namespaces(7).
void make_mounts_slave();

/// Mounts the root and everything in it, in the calling process's mount namespace over /proc, which
/// is thereby lost to it, and gives a descriptor of it. Throws Error naming what failed.
UniqueFd mount_root(const RootRequest& request);

/// Makes `root` the root directory and lets go of the host's: pivot_root(2). Throws Error; then
/// checks that "/" is `root`.
void enter_root(int root);

}  // namespace sandbox
