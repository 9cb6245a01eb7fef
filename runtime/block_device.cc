#include "runtime/block_device.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {

std::string block_device_of(const std::string& path) {
  struct stat info {};
  check(::stat(path.c_str(), &info), "stat", path);
  std::string device =
      std::to_string(major(info.st_dev)) + ':' + std::to_string(minor(info.st_dev));
  const std::string in_sysfs = "/sys/dev/block/" + device;
  // Major 0 is no device: btrfs, tmpfs, overlay, NFS.
  if (major(info.st_dev) == 0 || ::access(in_sysfs.c_str(), F_OK) != 0) {
    throw Error(EOPNOTSUPP, "limit", "disk rate",
                path +
                    " is on a file system without a block device of its own: put the data "
                    "directory on ext4 or xfs with SANDBOX_HOME");
  }
  if (::access((in_sysfs + "/partition").c_str(), F_OK) != 0) return device;
  device = read_kernel_file(AT_FDCWD, (in_sysfs + "/../dev").c_str());
  return device.substr(0, device.find('\n'));
}

}  // namespace sandbox
