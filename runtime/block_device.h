#pragma once

#include <string>

namespace sandbox {

/// The block device that the file system of `path` is on, as `MAJOR:MINOR`; of a partition the
/// whole disk, because the kernel limits the speed of whole ones only: cgroups(7), io.max. Throws
/// Error: EOPNOTSUPP for file systems that are on none, or on several.
std::string block_device_of(const std::string& path);

}  // namespace sandbox
