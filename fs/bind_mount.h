#pragma once

#include <string>

#include "fs/host_path.h"

namespace sandbox {

/// A file or directory of the host that the user asked to see in the sandbox.
struct BindMount {
  HostPath source;
  std::string target;  ///< Absolute, inside.
  bool read_only = true;

  void encode(WireWriter& out) const;
  static BindMount decode(WireReader& in);
};

/// The O_PATH descriptor of `bind`'s source and everything mounted below it, as a detached mount,
/// nosuid and nodev throughout, and read-only throughout if asked: mount_setattr(AT_RECURSIVE), for
/// a remounted bind is read-only on top alone. Taken before the root is entered.
UniqueFd clone_bind_source(const BindMount& bind);

/// Attaches `source` at `bind.target` below `root`, making the target and its parents first.
/// Throws Error; EINVAL for a target at or below /proc and /dev, which are ours, and for "/".
void attach_bind(int root, const BindMount& bind, int source);

}  // namespace sandbox
