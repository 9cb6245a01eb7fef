#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "proc/command_rlimits.h"
#include "proc/payload_cgroup.h"
#include "proc/spawn_request.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Where a command's three standard descriptors lead.
struct Stdio {
  UniqueFd in;
  UniqueFd out;
  UniqueFd err;
};

/// Starts programs as children of the calling process, PID 1 of a sandbox.
///
/// Single-threaded use. The child shares our memory until execve(2), so starting costs the same
/// however large we are and tells its failure without a pipe.
class Spawner {
 public:
  struct Means {
    /// sock_filter[] that each command gets on top of the filters of the caller.
    std::span<const std::byte> command_filter;
    bool can_change_ids = false;
    CommandRlimits rlimits{};
    const PayloadCgroup* cgroup = nullptr;  ///< Where commands are born; where we are if null.
  };
  explicit Spawner(const Means& means) noexcept : means_(means) {}

  /// Starts `request` in its own session with `tag` (process_tree.h) and returns its pid when the
  /// program runs. Throws Error; the subject of "execve" is the program as the caller named it.
  /// EBUSY when commands are frozen.
  pid_t spawn(const SpawnRequest& request, const Stdio& stdio, uint64_t tag) const;

  /// The same in the directory open as `cwd`, whatever the request says.
  pid_t spawn_in(int cwd, const SpawnRequest& request, const Stdio& stdio, uint64_t tag) const;

  /// The cgroup that commands are born in; -1 when it is the caller's.
  int cgroup() const noexcept { return means_.cgroup == nullptr ? -1 : means_.cgroup->directory(); }
  /// For a process that is in that cgroup itself, and has no descriptor of it.
  Spawner from_within() const noexcept;

 private:
  Means means_;
};

}  // namespace sandbox
