#include "fs/dev_mount.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fs/mount_api.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::size_t kPrefix = sizeof("/dev/") - 1;

struct Device {
  const char* path;
  unsigned major;
  unsigned minor;

  constexpr const char* name() const noexcept { return path + kPrefix; }
};

// Documentation/admin-guide/devices.txt.
constexpr std::array kDevices{
    Device{"/dev/null", 1, 3},   Device{"/dev/zero", 1, 5},    Device{"/dev/full", 1, 7},
    Device{"/dev/random", 1, 8}, Device{"/dev/urandom", 1, 9}, Device{"/dev/tty", 5, 0},
};

struct Link {
  const char* name;
  const char* target;
};

constexpr std::array kLinks{
    Link{"fd", "/proc/self/fd"},       Link{"stdin", "/proc/self/fd/0"},
    Link{"stdout", "/proc/self/fd/1"}, Link{"stderr", "/proc/self/fd/2"},
    Link{"ptmx", "pts/ptmx"},          Link{"core", "/dev/null"},
};

bool is_device(const struct stat& status, const Device& device) noexcept {
  return S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(device.major, device.minor);
}

// A descriptor that closes itself where nothing may touch errno.
class RawFd {
 public:
  explicit RawFd(long fd) noexcept : fd_(fd) {}
  RawFd(const RawFd&) = delete;
  RawFd& operator=(const RawFd&) = delete;
  ~RawFd() {
    if (fd_ >= 0) raw_syscall(SYS_close, fd_);
  }
  long get() const noexcept { return fd_; }

 private:
  long fd_;
};

// A detached mount of the host's node. What its name leads to is cloned before it is looked at, so
// that it cannot be swapped in between.
FailedCall bind_device(int dev, const Device& device) noexcept {
  constexpr long kClone =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_SYMLINK_NOFOLLOW);
  const RawFd node(raw_syscall(SYS_open_tree, AT_FDCWD, to_argument(device.path), kClone));
  if (node.get() < 0) return failed(device.path, node.get());
  struct stat status {};
  const long known =
      raw_syscall(SYS_newfstatat, node.get(), to_argument(""), to_argument(&status), AT_EMPTY_PATH);
  if (known < 0) return failed(device.path, known);
  if (!is_device(status, device)) return {device.path, ENODEV};

  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  const long set = raw_syscall(SYS_mount_setattr, node.get(), to_argument(""), AT_EMPTY_PATH,
                               to_argument(&attributes), sizeof(attributes));
  if (set < 0) return failed("mount_setattr", set);
  const RawFd target(raw_syscall(SYS_openat, dev, to_argument(device.name()),
                                 O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444));
  if (target.get() < 0) return failed("openat(/dev)", target.get());
  return failed("move_mount",
                raw_syscall(SYS_move_mount, node.get(), to_argument(""), target.get(),
                            to_argument(""), MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

UniqueFd mount_devpts(bool tty_group_mapped) {
  FsContext devpts("devpts");
  devpts.set_flag("newinstance");
  devpts.set("ptmxmode", "0666");
  devpts.set("mode", "0620");
  if (tty_group_mapped) devpts.set("gid", "5");
  return devpts.mount(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

void make_directory(int dev, const char* name) {
  check(::mkdirat(dev, name, 0755), "mkdirat", name);
}

UniqueFd open_directory(int dev, const char* name) {
  return UniqueFd(
      check(::openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat", name));
}

}  // namespace

UniqueFd open_null_device() {
  const Device& null = kDevices.front();
  UniqueFd fd{check(::open(null.path, O_PATH | O_NOFOLLOW | O_CLOEXEC), "open", null.path)};
  struct stat status {};
  check(::fstat(fd.get(), &status), "fstat", null.path);
  if (is_device(status, null)) return fd;
  throw Error(ENODEV, "open", null.path, "the host's device node is not what its name says");
}

UniqueFd mount_dev(int root, const Scratch& scratch, bool tty_group_mapped,
                   const std::function<void(int directory)>& add) {
  const UniqueFd directory = scratch.make_directory("dev", 0755);
  make_directory(directory.get(), "pts");
  make_directory(directory.get(), "shm");
  for (const Link& link : kLinks) {
    check(::symlinkat(link.target, directory.get(), link.name), "symlinkat", link.name);
  }
  add(directory.get());

  // Attached before it is filled: only a mount in our namespace can carry other mounts (before
  // Linux 6.15), and the writable descriptor of the scratch directory stays ours alone.
  UniqueFd dev = clone_mount(directory.get(), Subtree::Only, "/dev");
  add_mount_attributes(dev.get(), MOUNT_ATTR_NOEXEC, Subtree::Only, "/dev");
  const UniqueFd target = open_mount_target(root, "dev");
  attach_mount(dev.get(), target.get(), "/dev");
  attach_mount(mount_devpts(tty_group_mapped).get(), open_directory(dev.get(), "pts").get(),
               "/dev/pts");
  const UniqueFd shm = scratch.make_directory("shm", 01777);
  attach_mount(clone_mount(shm.get(), Subtree::Only, "/dev/shm").get(),
               open_directory(dev.get(), "shm").get(), "/dev/shm");
  return dev;
}

FailedCall bind_devices(void* dev) noexcept {
  const int mount = static_cast<const UniqueFd*>(dev)->get();
  for (const Device& device : kDevices) {
    if (const FailedCall failure = bind_device(mount, device)) return failure;
  }
  return {};
}

void close_dev(int dev) { add_mount_attributes(dev, MOUNT_ATTR_RDONLY, Subtree::Only, "/dev"); }

}  // namespace sandbox
