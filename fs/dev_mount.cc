#include "fs/dev_mount.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "fs/mount_api.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

struct Device {
  const char* name;
  unsigned major;
  unsigned minor;
};

// Documentation/admin-guide/devices.txt.
constexpr std::array kDevices{
    Device{"null", 1, 3},   Device{"zero", 1, 5},    Device{"full", 1, 7},
    Device{"random", 1, 8}, Device{"urandom", 1, 9}, Device{"tty", 5, 0},
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

UniqueFd open_device(const Device& device) {
  const std::string path = std::string("/dev/") + device.name;
  UniqueFd fd{check(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC), "open", path)};
  struct stat status {};
  check(::fstat(fd.get(), &status), "fstat", path);
  if (!S_ISCHR(status.st_mode) || status.st_rdev != ::makedev(device.major, device.minor)) {
    throw Error(ENODEV, "open", path, "the host's device node is not what its name says");
  }
  return fd;
}

void bind_device(int dev, const Device& device) {
  const UniqueFd node = open_device(device);
  const UniqueFd copy = clone_mount(node.get(), Subtree::Only, device.name);
  add_mount_attributes(copy.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, Subtree::Only,
                       device.name);
  const UniqueFd target{
      check(::openat(dev, device.name, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444), "openat",
            device.name)};
  attach_mount(copy.get(), target.get(), device.name);
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

UniqueFd open_null_device() { return open_device(kDevices.front()); }

void mount_devices(int root, const Scratch& scratch, bool tty_group_mapped,
                   const std::function<void(int directory)>& finish) {
  const UniqueFd directory = scratch.make_directory("dev", 0755);
  make_directory(directory.get(), "pts");
  make_directory(directory.get(), "shm");
  for (const Link& link : kLinks) {
    check(::symlinkat(link.target, directory.get(), link.name), "symlinkat", link.name);
  }

  // Attached before it is filled: only a mount in our namespace can carry other mounts (before
  // Linux 6.15), and the writable descriptor of the scratch directory stays ours alone.
  const UniqueFd dev = clone_mount(directory.get(), Subtree::Only, "/dev");
  add_mount_attributes(dev.get(), MOUNT_ATTR_NOEXEC, Subtree::Only, "/dev");
  const UniqueFd target = open_mount_target(root, "dev");
  attach_mount(dev.get(), target.get(), "/dev");

  for (const Device& device : kDevices) bind_device(dev.get(), device);
  attach_mount(mount_devpts(tty_group_mapped).get(), open_directory(dev.get(), "pts").get(),
               "/dev/pts");
  const UniqueFd shm = scratch.make_directory("shm", 01777);
  attach_mount(clone_mount(shm.get(), Subtree::Only, "/dev/shm").get(),
               open_directory(dev.get(), "shm").get(), "/dev/shm");
  finish(directory.get());
  add_mount_attributes(dev.get(), MOUNT_ATTR_RDONLY, Subtree::Only, "/dev");
}

}  // namespace sandbox
