#pragma once

#include <string>

namespace sandbox {

/// Removes `name` in the directory `parent`, and all that is below it if it is a directory. A name
/// that is not there is success.
///
/// Made for trees that somebody hostile has built or is still changing: iterative, by descriptors,
/// without following symlinks; any depth up to 200,000, names of any bytes, directories whose mode
/// keeps even their owner out (they get 0700 first). `parent` may be O_PATH. Acts with the rights
/// of the calling thread.
///
/// Throws Error: EBUSY at a mount point, which is never removed nor entered; ENOTEMPTY when
/// somebody refills a directory as fast as it is emptied; E2BIG for deeper trees; ESTALE when
/// directories are moved about meanwhile again and again; EACCES, EPERM.
void remove_tree(int parent, const std::string& name);

}  // namespace sandbox
