#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

enum class Symlinks { Follow, NoFollow };

/// Something found in the sandbox: an O_PATH descriptor, so nothing has been opened yet.
struct Resolved {
  UniqueFd fd;
  struct statx status = {};
};

/// A directory and the name of one entry in it, which need not exist.
struct ParentAndName {
  Resolved parent;
  std::string name;  ///< One component; never "", "." or "..".
};

/// A regular file, open for reading or writing.
struct OpenedFile {
  UniqueFd fd;
  struct stat status = {};
};

/// The root of a sandbox as the host holds it: the only way from a path to a file.
///
/// Every path is resolved by openat2(2) with RESOLVE_IN_ROOT, so that ".." and absolute symlinks
/// end where a process inside would end, and RESOLVE_NO_MAGICLINKS, because those of /proc leave
/// any root. What is found has to lie on one of the sandbox's own mounts: a process inside can make
/// its /proc or a device look like a file, and only those we know are ordinary file systems.
///
/// Safe to use from several threads. Paths are absolute, of bytes, without NUL, shorter than
/// PATH_MAX. All functions throw Error: ENOENT, ENOTDIR, EISDIR, ELOOP (too many symlinks, or a
/// magic link), ENAMETOOLONG, EACCES, EXDEV (another mount), EINVAL (a FIFO, socket or device).
class RootDir {
 public:
  /// `root` is a descriptor (O_PATH is enough) of the sandbox's "/", `volumes` are the mount ids of
  /// its other mounts that hold ordinary files: /usr, /dev/shm and what the user mounted. They stay
  /// true as long as the sandbox lives, for nobody inside can unmount. Needs Linux 5.8 (statx with
  /// mount ids).
  explicit RootDir(UniqueFd root, const std::vector<uint64_t>& volumes = {});

  int fd() const noexcept { return root_.get(); }

  /// True for a mount of the sandbox, by statx's stx_mnt_id.
  bool owns_mount(uint64_t mount_id) const noexcept;

  Resolved resolve(const std::string& path, Symlinks last) const;
  /// The same, and nothing when there is no such entry.
  std::optional<Resolved> find(const std::string& path, Symlinks last) const;

  /// Opens an existing regular file; `access` is O_RDONLY, O_WRONLY or O_RDWR, perhaps with
  /// O_APPEND. Never blocks, whatever a process inside makes of the path: a FIFO, a terminal, a
  /// leased file.
  OpenedFile open_file(const std::string& path, int access) const;
  /// The same, and nothing when there is no such entry.
  std::optional<OpenedFile> find_file(const std::string& path, int access) const;
  /// Opens a regular file of `owner` on the root mount whose mode lets `owner` open it. Empty in
  /// any other case, with errno ENOENT only when there is nothing. Root of the host, which may open
  /// anything, spares itself a change of identity by this: a file that belongs to the sandbox's own
  /// user holds nothing that this user may not have.
  OpenedFile open_own_file(const std::string& path, int access, uid_t owner) const noexcept;
  /// A copy of a file of the sandbox's procfs, whose files have no size, change while they are read
  /// and may keep a reader waiting: so the agent reads it, and whole. Throws Error: EXDEV when it
  /// is none, or there is no agent.
  OpenedFile copy_of_proc(const std::string& path) const;
  /// Opens a directory for reading.
  UniqueFd open_directory(const std::string& path) const;

  /// Splits `path` at its last component and resolves what is before it. EINVAL when the last
  /// component names no entry ("/", "..").
  ParentAndName resolve_parent(const std::string& path) const;

  /// Path of `fd` as a process inside would name it: proc(5), /proc/[pid]/fd.
  std::string path_of(int fd) const;

 private:
  Resolved require_own(Resolved found, const std::string& path) const;

  UniqueFd root_;
  std::vector<uint64_t> mounts_;
};

/// "/proc/self/fd/N": the path of what a descriptor holds, for calls that do not take O_PATH.
/// The kernel goes straight to the file, no name is looked up again.
std::string fd_path(int fd);

/// statx(2) of `fd` itself, with STATX_MNT_ID.
struct statx status_of(int fd, const std::string& subject);

/// Throws EBUSY when `name` in the directory `parent` is a mount point. To be asked before an entry
/// is removed, replaced or renamed from the host: the kernel protects mount points only against
/// callers in their own mount namespace, and for us it would detach the mount, such as the
/// sandbox's /proc. Mount points cannot be renamed inside, so the answer stays true.
void require_no_mount_point(int parent, const std::string& name);

/// For paths that do not lead to a regular file: EISDIR, or EINVAL with a hint that names the kind.
[[noreturn]] void throw_not_a_file(mode_t mode, const std::string& path);

}  // namespace sandbox
