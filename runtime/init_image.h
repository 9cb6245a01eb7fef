#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sandbox {

/// The program sandbox-init, as it was built into this library.
std::span<const std::byte> init_image() noexcept;

/// Another build, another number: part of its SHA-256, computed when it was built.
uint64_t init_fingerprint() noexcept;

}  // namespace sandbox
