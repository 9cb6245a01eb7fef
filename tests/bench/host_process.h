#pragma once

#include <sys/types.h>

#include <cstddef>

#include "sandbox/unique_fd.h"
#include "tests/bench/statistics.h"

namespace sandbox::bench {

/// A host application of a given size, in a process of its own, which creates sandboxes when told.
/// Two of them, one large and one empty, can so be measured in turns.
class HostProcess {
 public:
  /// Forks; call it while this process is small and has one thread. `resident_bytes` are touched
  /// page by page, without huge pages: a host that has been running for a while looks like that.
  HostProcess(std::size_t resident_bytes, int threads);
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;
  ~HostProcess();

  /// Creates one sandbox in it; destroying it does not count. Throws Error EPIPE when it has died.
  Duration time_create();

 private:
  UniqueFd socket_;
  pid_t pid_ = -1;
};

}  // namespace sandbox::bench
