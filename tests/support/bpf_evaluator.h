#pragma once

#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sandbox::test {

/// Runs a seccomp program, as the kernel would, on one system call: seccomp(2).
///
/// Returns the SECCOMP_RET_* value with its data. Knows the part of classic BPF that compilers of
/// filters use, and throws std::logic_error for an instruction outside of it, a jump out of the
/// program or a load outside of seccomp_data: the kernel would refuse such a program.
std::uint32_t evaluate(std::span<const std::byte> filter, const seccomp_data& call);

/// The result of several filters, given in the order in which they were installed: the most severe
/// action wins, and between equals the most recent filter.
std::uint32_t evaluate_all(const std::vector<std::span<const std::byte>>& filters,
                           const seccomp_data& call);

}  // namespace sandbox::test
