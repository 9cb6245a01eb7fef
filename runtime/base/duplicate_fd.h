#pragma once

#include <fcntl.h>

#include <string>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Another descriptor of the same open file description, closed on exec, numbered `lowest` or
/// higher: fcntl(2), F_DUPFD_CLOEXEC. Throws Error about `subject`.
inline UniqueFd duplicate(int fd, const std::string& subject = {}, int lowest = 0) {
  return UniqueFd(check(::fcntl(fd, F_DUPFD_CLOEXEC, lowest), "fcntl(F_DUPFD)", subject));
}

}  // namespace sandbox
