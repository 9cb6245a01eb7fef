#pragma once

#include <vector>

#include "runtime/sandbox_core.h"

namespace sandbox {

/// Adds what Sandbox::isolation() tells of limits.
void add_limits(const IsolationFacts& facts, std::vector<IsolationLayer>& layers);

}  // namespace sandbox
