#pragma once

#include <poll.h>

namespace sandbox {

/// One event of a round may close the descriptor of another, and a new one may then get its number:
/// whoever reads asks before, and does not wait when there is nothing.
inline bool is_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

}  // namespace sandbox
