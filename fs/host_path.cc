#include "fs/host_path.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "sandbox/error.h"

namespace sandbox {

HostPath HostPath::look_up(const std::string& path) {
  struct stat status {};
  check(::stat(path.c_str(), &status), "stat", path);
  return {.path = std::filesystem::absolute(path), .device = status.st_dev, .inode = status.st_ino};
}

UniqueFd HostPath::open() const {
  UniqueFd fd{check(::open(path.c_str(), O_PATH | O_CLOEXEC), "open", path)};
  struct stat status {};
  check(::fstat(fd.get(), &status), "fstat", path);
  if (status.st_dev != device || status.st_ino != inode) {
    throw Error(ESTALE, "open", path, "it was replaced while the sandbox was being created");
  }
  return fd;
}

void HostPath::encode(WireWriter& out) const {
  out.text(path);
  out.u64(device);
  out.u64(inode);
}

HostPath HostPath::decode(WireReader& in) {
  HostPath host;
  host.path = in.text();
  host.device = in.u64();
  host.inode = in.u64();
  return host;
}

}  // namespace sandbox
