#pragma once

#include "templates/layer_entry.h"

namespace sandbox {

/// The xattrs of `fd` that a layer may have: is_kept_xattr(). None where the file system has none.
/// Throws Error.
Xattrs kept_xattrs(int fd, const std::string& subject);

/// True for a directory that hides those of the same name in layers below: overlay's own xattr.
bool is_opaque(int fd) noexcept;

}  // namespace sandbox
