#include "runtime/base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "sandbox/error.h"

namespace sandbox {

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace sandbox
