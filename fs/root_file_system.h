#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fs/bind_mount.h"
#include "fs/host_path.h"
#include "fs/scratch.h"
#include "runtime/base/raw_syscall.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// A directory of the host shown read-only at `target` through an overlay of its own, not a bind:
/// sandboxes sharing a bind would share flock(2) state and inotify(7) events (measured).
struct ReadOnlyTree {
  HostPath source;
  std::string target;  ///< Name of a directory of the root, e.g. "usr".
};

/// In /dev, because that is ours alone: read-only, and no layer of a template.
inline constexpr const char* kSudoSocket = "/dev/sudo";

/// What the root of a sandbox is made of. Built outside, mounted inside.
struct RootRequest {
  std::vector<HostPath> lowerdirs;  ///< From top to bottom; the first is our skeleton.
  std::vector<ReadOnlyTree> read_only_trees;
  /// Directory with `upper` and `work` in it. Nothing: a tmpfs, which needs Linux 6.6.
  std::optional<HostPath> upper_directory;
  ScratchSize scratch_size{};  ///< Of the tmpfs, which /dev/shm is a part of, too.
  std::vector<BindMount> binds;
  bool tty_group_mapped = false;  ///< gid 5 exists inside.
  /// Directory with programs of ours: a layer below the skeleton, and upon the tree of /usr.
  std::optional<HostPath> tools;
  /// Makes kSudoSocket: somebody is there to answer.
  bool has_sudo = false;

  void encode(WireWriter& out) const;
  static RootRequest decode(WireReader& in);
};

/// Stops mounts of the sandbox from reaching the host. Host unmounts still arrive, so that no mount
/// of the host is kept busy while we build: mount_namespaces(7).
void make_mounts_slave();

/// The root of a sandbox while it is being built, in the calling process's mount namespace over
/// /proc, which is thereby lost to it. Methods are called once, in the order they stand in; all
/// throw Error naming what failed.
class RootFileSystem {
 public:
  /// Opens what is taken from the host: devices and bind sources.
  explicit RootFileSystem(const RootRequest& request);

  /// The layers, and the read-only trees upon them.
  void mount_layers();
  void mount_proc();
  /// /dev without the device nodes: those are for bind_devices(dev()), before binds.
  void mount_dev();
  UniqueFd* dev() noexcept { return &dev_; }
  /// Where sudo asks, if it was asked for; once, after mount_dev().
  UniqueFd take_sudo_listener() noexcept { return std::move(sudo_listener_); }
  /// Makes the directories that distributions expect to be root's, and the files of /etc that are
  /// ours, belong to uid and gid 0: every layer belongs to `user`, as his are the only files on the
  /// host. For a caller with CAP_CHOWN. Never reaches a mount; ids that are not mapped stay.
  void give_to_root();
  void mount_binds();
  /// When the devices are there: nothing in /dev changes any more.
  void close_dev();
  /// A procfs that hides nothing, for PID 1 itself. Nobody else can reach it.
  UniqueFd mount_private_proc() const;

  /// Makes it the root directory: pivot_root(2). The host's is left on top of it, where only ".."
  /// of the root and umount2(2) see it.
  void enter();

  /// The root, for fchdir(2) and lookups.
  int fd() const noexcept { return root_.get(); }

 private:
  const RootRequest& request_;
  UniqueFd null_;
  std::vector<UniqueFd> bind_sources_;
  std::optional<Scratch> scratch_;
  UniqueFd empty_;
  UniqueFd root_;
  UniqueFd dev_;
  UniqueFd sudo_listener_;
};

/// After RootFileSystem::enter(): takes off the host's root and everything in it. Waits for a grace
/// period of RCU. Makes raw system calls only, for a child that shares its parent's memory.
FailedCall drop_old_root(void* = nullptr) noexcept;

/// After that: throws Error when a mount still lies over "/".
void require_bare_root();

}  // namespace sandbox
