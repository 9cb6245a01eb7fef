#pragma once

#include <cstdint>
#include <string>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// The mount API of Linux 5.2: a mount is made detached, gets its attributes while nobody can see
/// it, and is then attached to a *descriptor*, never to a path that could be swapped. fsopen(2),
/// fsmount(2), open_tree(2), mount_setattr(2), move_mount(2). Everything throws Error.

/// A file system being configured, before it is mounted.
class FsContext {
 public:
  /// `type` is a file system of /proc/filesystems.
  explicit FsContext(const char* type);

  void set(const char* key, const std::string& value);
  void set_flag(const char* key);

  /// Makes the file system and a detached mount of it with `attributes` (MOUNT_ATTR_*). On failure
  /// the Error's hint holds what the kernel logged for this context.
  UniqueFd mount(unsigned attributes);

 private:
  void require(int result, const char* call, const std::string& subject) const;

  const char* type_;
  UniqueFd fd_;
};

enum class Subtree { Only, Recursive };

/// A detached copy of the mount at `fd` (an O_PATH descriptor of any file in it).
UniqueFd clone_mount(int fd, Subtree subtree, const std::string& subject);

/// Sets MOUNT_ATTR_* on a detached mount. Only adds: clearing a locked flag is EPERM.
void add_mount_attributes(int mount, uint64_t attributes, Subtree subtree,
                          const std::string& subject);

/// Attaches a detached mount on top of what `target` refers to.
void attach_mount(int mount, int target, const std::string& subject);

/// Resolves a mount target below `root`; symlinks cannot leave it and magic links fail with ELOOP.
UniqueFd open_mount_target(int root, const std::string& path);

}  // namespace sandbox
