#pragma once

#include <sys/types.h>

#include <string>

namespace sandbox {

/// Directories of the caller on the host: made, checked and locked. All functions throw Error.

/// Makes `path` with exactly `mode`. An existing one stays as it is. True when it is new.
bool make_directory(const std::string& path, mode_t mode);

/// Makes the missing directories above `path`.
void make_parents(const std::string& path);

/// Throws Error: ENOTDIR for a symlink or file, EPERM when it belongs to somebody else or others
/// may write to it, and so swap what is in it.
void require_own(const std::string& path);

/// flock(2) without waiting: LOCK_SH or LOCK_EX. False when another open description has it. The
/// lock belongs to the open description and ends with its last descriptor, in whatever process.
bool try_lock(int directory, int operation);

}  // namespace sandbox
