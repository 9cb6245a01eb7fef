#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "proc/command_rlimits.h"

namespace sandbox {

/// What a child needs between clone and execve, gathered before: nothing there may allocate.
struct ChildPlan {
  char* const* argv = nullptr;      ///< Null-terminated.
  char* const* envp = nullptr;      ///< Null-terminated.
  char* const* programs = nullptr;  ///< Null-terminated; tried in order.
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  bool has_terminal = false;  ///< stdin is one, and becomes the controlling terminal.
  int cwd_fd = -1;            ///< O_PATH directory.
  CommandRlimits rlimits;
  uint64_t tag = 0;                   ///< RLIMIT_LOCKS of the whole tree: see process_tree.h.
  std::span<const std::byte> filter;  ///< sock_filter[]: what init must do and a command may not.
  bool change_ids = false;            ///< Only with a range map; else the ids are right already.
  uid_t uid = 0;
  gid_t gid = 0;
  std::span<const gid_t> groups;
};

/// Where and why a child failed. Written by the child into the parent's memory, which it shares.
struct ChildFailure {
  const char* call = nullptr;
  int error = 0;
};

/// Runs in a child that shares its memory with init, as after vfork(2): signal-safety(7) calls
/// only.
[[noreturn]] void exec_child(const ChildPlan& plan, ChildFailure& failure) noexcept;

}  // namespace sandbox
