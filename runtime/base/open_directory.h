#pragma once

#include <fcntl.h>

#include <string>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Opens a directory of the host for reading, without following a symlink at its end. Throws Error.
inline UniqueFd open_directory(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  return UniqueFd(check(::open(path.c_str(), kFlags), "open", path));
}

}  // namespace sandbox
