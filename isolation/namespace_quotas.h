#pragma once

namespace sandbox {

/// Sets the quotas of the calling process's user namespace, /proc/sys/user/max_* below `proc`, a
/// writable procfs: no further namespaces and few watches, whatever a payload may call.
///
/// A second lock, beside seccomp, on nested user namespaces. After all mounts: a detached mount
/// counts as a mount namespace (measured: open_tree(2) then fails with ENOSPC). Throws Error.
void close_namespace_quotas(int proc);

}  // namespace sandbox
