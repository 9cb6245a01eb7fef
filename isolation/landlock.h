#pragma once

#include <span>
#include <string>

namespace sandbox {

/// What restrict_to_root() achieved.
struct LandlockResult {
  int abi = 0;           ///< The kernel's version of the interface; 0 if it has none.
  std::string weakness;  ///< Why nothing is enforced; empty when it is.
};

/// The kernel's ABI version of landlock(7), 0 when it is not built in or not enabled.
int landlock_abi() noexcept;

/// Takes all access to files outside of the hierarchy of `root_fd` from the calling thread and what
/// it starts; from ABI 6 on also signals and connections through abstract sockets to processes
/// outside. This is a second layer: it holds even if a mount was forgotten.
///
/// `private_mounts` are directories of detached mounts that stay usable as well; they lie in no
/// hierarchy. Irreversible, needs no_new_privs, forbids further mounts. Where the kernel cannot, it
/// does nothing and says so in `weakness`. Throws Error.
LandlockResult restrict_to_root(int root_fd, std::span<const int> private_mounts = {});

}  // namespace sandbox
