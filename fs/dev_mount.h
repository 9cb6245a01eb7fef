#pragma once

#include <functional>

#include "fs/scratch.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// O_PATH descriptor of the host's /dev/null, which is verified to be device 1:3: what covers a
/// masked file must not be something a template put there (CVE-2025-31133).
UniqueFd open_null_device();

/// Mounts /dev below `root`: six device nodes of the host, an own devpts, an own /dev/shm and the
/// usual links, all in the sandbox's scratch file system and read-only but for pts and shm. `gid` 5
/// owns terminals where it is mapped. `finish` is called with the directory before it becomes
/// read-only. Throws Error.
void mount_devices(int root, const Scratch& scratch, bool tty_group_mapped,
                   const std::function<void(int directory)>& finish);

}  // namespace sandbox
