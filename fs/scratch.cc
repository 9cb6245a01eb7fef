#include "fs/scratch.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <string>

#include "fs/mount_api.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

UniqueFd mount_tmpfs(const ScratchSize& size) {
  FsContext tmpfs("tmpfs");
  tmpfs.set("source", "sandbox");
  tmpfs.set("mode", "0700");
  if (size.bytes != 0) tmpfs.set("size", std::to_string(size.bytes));
  if (size.inodes != 0) tmpfs.set("nr_inodes", std::to_string(size.inodes));
  return tmpfs.mount(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

}  // namespace

Scratch::Scratch(const ScratchSize& size) : mount_(mount_tmpfs(size)) {
  // Overlay refuses layers on a detached mount before Linux 6.15. /proc exists wherever we run, no
  // layer lies in it, and with the old root it goes away in one umount2(2), each of which waits for
  // an RCU grace period.
  check(::move_mount(mount_.get(), "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH), "move_mount",
        "scratch");
}

UniqueFd Scratch::make_directory(const char* name, unsigned mode) const {
  check(::mkdirat(mount_.get(), name, mode), "mkdirat", name);
  // Set apart from mkdirat, whose mode is cut by the umask.
  UniqueFd fd{check(::openat(mount_.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
                    "openat", name)};
  check(::fchmod(fd.get(), mode), "fchmod", name);
  return fd;
}

bool Scratch::keeps_user_xattrs() const {
  const UniqueFd top{
      check(::openat(mount_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "openat", "tmpfs")};
  if (::fsetxattr(top.get(), "user.sandbox", "", 0, 0) == 0) return true;
  if (errno == EOPNOTSUPP) return false;
  throw Error(errno, "fsetxattr", "tmpfs");
}

}  // namespace sandbox
