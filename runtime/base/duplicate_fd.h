#pragma once

#include <fcntl.h>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Another descriptor of the same open file description, closed on exec, numbered `lowest` or
/// higher: fcntl(2), F_DUPFD_CLOEXEC. Throws Error.
inline UniqueFd duplicate(int fd, int lowest = 0) {
  return UniqueFd(check(::fcntl(fd, F_DUPFD_CLOEXEC, lowest), "fcntl(F_DUPFD_CLOEXEC)"));
}

}  // namespace sandbox
