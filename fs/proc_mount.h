#pragma once

#include "fs/scratch.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Mounts a fresh procfs of the caller's pid namespace at /proc below `root`: processes one may not
/// inspect are invisible, what configures or describes the host is read-only or masked.
///
/// Also closes the namespace quotas of the user namespace (/proc/sys/user/max_*), which is a second
/// lock, beside seccomp, on nested user namespaces; it must happen before /proc/sys turns
/// read-only. `empty` is an empty directory of the sandbox's own; `null` is /dev/null. Throws
/// Error; EPERM when the outer /proc has mounts over it, as in a container (proc(5),
/// mount_too_revealing).
void mount_hidden_proc(int root, int empty, int null);

/// A detached procfs of the caller's pid namespace that shows every process and hides nothing, for
/// PID 1 itself.
UniqueFd open_private_proc();

}  // namespace sandbox
