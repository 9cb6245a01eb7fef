#pragma once

#include <string>

#include "sandbox/entry_info.h"

namespace sandbox {

/// Metadata of files: extended attributes `user.e2b.<key>`, xattr(7). Only regular files and
/// directories can have them.

/// Throws Error: EINVAL unless keys are HTTP tokens (RFC 9110) and values printable ASCII.
void require_valid(const Metadata& metadata);

/// False when an open file has no extended attributes at all, as most have none: one system call.
bool has_attributes(int fd) noexcept;

/// `fd` may be O_PATH. Empty where the file system has no extended attributes, or the file none of
/// ours.
Metadata read_metadata(int fd);

/// Makes `metadata` the whole set; keys are stored in lower case. `fd` may be O_PATH. Throws Error:
/// ENOTSUP (tmpfs before Linux 6.6) when there is something to store and the file system cannot.
void replace_metadata(int fd, const Metadata& metadata);

}  // namespace sandbox
