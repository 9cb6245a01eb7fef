#pragma once

#include <sys/resource.h>

#include <span>
#include <string_view>

namespace sandbox {

/// A resource limit of every process in a sandbox, in the units of getrlimit(2).
struct ResourceLimit {
  __rlimit_resource_t resource;
  std::string_view name;  ///< As in getrlimit(2).
  rlim_t soft;
  rlim_t hard;
  std::string_view reason;
};

/// The limits that every sandbox has. What is missing stays as inherited.
std::span<const ResourceLimit> default_rlimits() noexcept;

/// Sets one limit on the calling process, or what is left of it below an inherited hard limit:
/// that one is never raised. Throws Error.
void apply_rlimit(const ResourceLimit& limit);

/// Sets default_rlimits(). Throws Error.
void apply_rlimits();

}  // namespace sandbox
