#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace sandbox::bench {

/// Proportional set size of a process, from smaps_rollup: proc(5). Nothing when we may not look:
/// PID 1 of a sandbox is not dumpable, so only root may.
std::optional<uint64_t> proportional_set_bytes(pid_t pid);

/// Memory that the kernel itself uses on this machine: slab, page tables, kernel stacks, per-CPU.
uint64_t kernel_memory_bytes();

/// Memory that can be had without swapping.
uint64_t available_memory_bytes();

}  // namespace sandbox::bench
