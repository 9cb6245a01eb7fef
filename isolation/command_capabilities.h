#pragma once

#include "isolation/capabilities.h"

namespace sandbox {

/// drop_capabilities() for the child between clone and execve, which shares memory with init:
/// signal-safety(7) calls only, no exception. `policy` is a subset of kRangeInitCapabilities, which
/// the caller has. Null, or the call that failed with errno.
const char* try_drop_capabilities(const CapabilityPolicy& policy) noexcept;

}  // namespace sandbox
