#pragma once

#include <cstddef>
#include <span>

namespace sandbox {

/// The program sandbox-init, as it was built into this library.
std::span<const std::byte> init_image() noexcept;

}  // namespace sandbox
