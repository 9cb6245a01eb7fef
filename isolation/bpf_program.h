#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

#include "isolation/seccomp_tables.h"

/// Composes seccomp programs from parts; used at build time by compile_filters.cc.
///
/// Not libseccomp's generator, because libseccomp 2.5 compares all 64 bits of an argument, cannot
/// say "otherwise", and so takes two programs of 485 and 937 instructions for this policy, which
/// the kernel needs 270 us to install. Made here they are 277 and 26 instructions and 87 us.
namespace sandbox {

/// Instructions that end in BPF_RET on every path. Jumps are relative and stay within, so parts
/// can be put together in any way.
using Program = std::vector<sock_filter>;

/// A consecutive range of system call numbers, up to the next one's `first`.
struct CallRange {
  std::uint32_t first;
  Program program;
};

/// Returns `action`, a SECCOMP_RET_* value.
Program ret(std::uint32_t action);

/// Runs `then` when all `conditions` hold, else `otherwise`.
Program when(std::span<const Condition> conditions, const Program& then, const Program& otherwise);

/// Loads the system call number and runs the range it lies in, found by bisection. `ranges` is
/// sorted and begins with 0. Other architectures, and the x32 ABI on x86-64, kill the process.
Program dispatch(const std::vector<CallRange>& ranges);

}  // namespace sandbox
