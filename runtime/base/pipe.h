#pragma once

#include "sandbox/unique_fd.h"

namespace sandbox {

/// The two ends of a pipe(7), close-on-exec.
struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

/// Throws Error.
Pipe make_pipe();

}  // namespace sandbox
