#pragma once

#include <cstdint>

namespace sandbox {

/// Resource limits that commands have and PID 1 has not. 0: as PID 1.
struct CommandRlimits {
  uint64_t open_files = 0;  ///< RLIMIT_NOFILE.
  uint64_t file_bytes = 0;  ///< RLIMIT_FSIZE.
};

}  // namespace sandbox
