#pragma once

#include "sandbox/unique_fd.h"

namespace sandbox {

/// SIGCHLD as a descriptor to wait for beside others: signalfd(2). For a single-threaded program of
/// ours: the signal is blocked in the calling thread from then on.
class ChildSignal {
 public:
  /// Throws Error.
  ChildSignal();

  /// Readable when a child has ended.
  int fd() const noexcept { return fd_.get(); }

  /// Takes what has come. One signal may stand for many children, as signals do not queue:
  /// signal(7).
  void drain() const noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace sandbox
