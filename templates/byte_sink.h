#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace sandbox {

/// Where bytes go, piece by piece. May throw.
using ByteSink = std::function<void(std::span<const std::byte>)>;

}  // namespace sandbox
