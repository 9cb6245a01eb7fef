#pragma once

#include <cstddef>
#include <span>

#include "sandbox/unique_fd.h"

namespace sandbox {

enum class Executable { No, Yes };

/// A memfd with `content` that nobody can change any more: memfd_create(2), F_ADD_SEALS.
///
/// Executable::Yes is for running a program that a payload must not be able to rewrite through
/// /proc/[pid]/exe (CVE-2019-5736). Throws Error; EACCES when vm.memfd_noexec is 2.
UniqueFd make_sealed_memfd(const char* name, std::span<const std::byte> content,
                           Executable executable);

/// True when `fd` is a memfd whose content and size are sealed.
bool is_sealed(int fd) noexcept;

}  // namespace sandbox
