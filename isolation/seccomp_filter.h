#pragma once

#include <cstddef>
#include <span>

#include "sandbox/options.h"

namespace sandbox {

/// The two stacked filters of a profile, as arrays of struct sock_filter: seccomp(2).
///
/// Compiled at build time from seccomp_tables.h; the memory is static. Init installs `allow` on
/// itself, and commands inherit it; `deny` goes onto each command, as the last thing before
/// execve, because it also refuses what init itself has to do to start one. Any order of the
/// two is safe, but the errnos are the documented ones only if `deny` comes second: of two
/// refusals the kernel returns the most recent filter's.
struct SeccompFilter {
  std::span<const std::byte> allow;  ///< By number. Unknown calls fail with ENOSYS.
  std::span<const std::byte> deny;   ///< By argument, with the errno programs expect.
};

/// The filters of `profile`, for the architecture this was built for. Any thread.
const SeccompFilter& seccomp_filter(Profile profile) noexcept;

}  // namespace sandbox
