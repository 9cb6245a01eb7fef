#pragma once

#include <string>
#include <string_view>

#include "fs/file_owner.h"

namespace sandbox {

/// The absolute path inside that `path` means for `owner`: `~` and relative paths start in the
/// home; empty components, "." and trailing '/' are taken out, and ".." at the root, where it leads
/// nowhere. Other ".." stay, because only the kernel knows what they lead to behind a symlink.
/// Throws Error: EINVAL when it is empty, has a NUL, is `~other`, or is relative without a home.
std::string absolute_path(const std::string& path, const FileOwner& owner);

/// The last component of a path from absolute_path(): "/" of the root.
std::string base_name(const std::string& path);

/// `directory` + '/' + `name`.
std::string join(const std::string& directory, std::string_view name);

}  // namespace sandbox
