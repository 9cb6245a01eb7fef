#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/wire.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// A file of the host, named by path and pinned by identity.
///
/// A descriptor cannot cross into a new mount namespace: the kernel refuses to clone a mount of
/// another namespace (EINVAL). So the path is opened again inside, and what is found must be the
/// very file that was looked at outside.
struct HostPath {
  std::string path;
  uint64_t device = 0;
  uint64_t inode = 0;

  /// Looks at `path` now; symlinks are followed. Throws Error.
  static HostPath look_up(const std::string& path);

  /// O_PATH descriptor in the calling process's mount namespace. Throws Error; ESTALE when the path
  /// leads to another file by now.
  UniqueFd open() const;

  void encode(WireWriter& out) const;
  static HostPath decode(WireReader& in);
};

}  // namespace sandbox
