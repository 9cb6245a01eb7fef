#pragma once

#include <span>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// overlayfs over open directories, with `userxattr` so that it works in a user namespace
/// (Linux 5.11). See Documentation/filesystems/overlayfs in the kernel.
///
/// Layers are named to the kernel by descriptor number, relative to /proc/self/fd: no path to
/// escape or to race with, and /proc/self/mountinfo shows the sandbox numbers in place of host
/// paths. The process's cwd must be /proc/self/fd of its own procfs: see ProcFdCwd.

/// Whether fsync(2) and sync(2) inside reach the disk.
enum class Syncing {
  AsUpper,  ///< As the upper file system does it. For a tmpfs there is nothing to do.
  Never,    ///< `volatile`: for an upper layer that is thrown away and never mounted again.
};

/// A detached, nosuid and nodev overlay: `lowerdirs` from top to bottom below `upperdir`, which
/// must lie on one file system with `workdir`. Throws Error: EINVAL when the upper file system is
/// not fit (overlay, NFS), EPERM outside a user namespace we own.
UniqueFd mount_overlay(std::span<const UniqueFd> lowerdirs, int upperdir, int workdir,
                       Syncing syncing);

/// The same without an upperdir, read-only.
UniqueFd mount_read_only_overlay(std::span<const UniqueFd> lowerdirs);

/// The working directory is /proc/self/fd while this lives, and / after it.
class ProcFdCwd {
 public:
  ProcFdCwd();
  ProcFdCwd(const ProcFdCwd&) = delete;
  ProcFdCwd& operator=(const ProcFdCwd&) = delete;
  ~ProcFdCwd();
};

}  // namespace sandbox
