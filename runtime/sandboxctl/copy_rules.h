#pragma once

#include <string>
#include <string_view>

namespace sandboxctl {

/// What a path leads to, symlinks followed.
enum class PathKind { Missing, File, Directory };

/// One side of a copy, as far as the rules care.
struct CopyPath {
  std::string typed;  ///< As on the command line; slashes at its end count.
  PathKind kind = PathKind::Missing;
};

/// The last component of `path` without slashes at its end. Empty for `.`, `..`, `/` and `x/.`: the
/// content of a directory without its name.
std::string name_of(std::string_view path);

/// What stands behind the target's path for the copy: "", or `/name` when the target is a directory
/// that exists. The rules are those of cp(1) and `docker cp`.
///
/// Throws Failure (125): a source that is missing, or a file with a slash at its end; a directory
/// that is not to be copied `recursively`, or over a file; a file to a directory that does not
/// exist; a file without a `name`, such as stdin, into a directory.
std::string copy_suffix(const CopyPath& source, const std::string& name, const CopyPath& target,
                        bool recursively);

}  // namespace sandboxctl
