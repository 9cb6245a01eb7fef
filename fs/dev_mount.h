#pragma once

#include <functional>

#include "fs/scratch.h"
#include "runtime/base/raw_syscall.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// O_PATH descriptor of the host's /dev/null, which is verified to be device 1:3: what covers a
/// masked file must not be something a template put there (CVE-2025-31133).
UniqueFd open_null_device();

/// Mounts /dev below `root`: an own devpts, an own /dev/shm and the usual links, all in the
/// sandbox's scratch file system. `gid` 5 owns terminals where it is mapped. `add` is called with
/// the directory. Gives the mount. Throws Error.
UniqueFd mount_dev(int root, const Scratch& scratch, bool tty_group_mapped,
                   const std::function<void(int directory)>& add);

/// Then: six device nodes of the host. `dev` is the mount, a UniqueFd. Half of the work on /dev,
/// and raw system calls only, for a child that shares its parent's memory and descriptors.
FailedCall bind_devices(void* dev) noexcept;

/// And then: /dev is read-only, but for pts and shm. Throws Error.
void close_dev(int dev);

}  // namespace sandbox
