#pragma once

#include "sandbox/options.h"

namespace sandbox {

/// What depends on the release of the kernel alone, and can be tried in no better way.

/// Throws Error with ENOSYS below the oldest kernel that sandboxes work on.
void require_kernel();

/// Where the changes of a sandbox go. A directory, unless asked otherwise, where a tmpfs cannot be
/// an upper layer: scratch.h.
bool keep_changes_in_memory(const SandboxOptions& options);

}  // namespace sandbox
