#pragma once

#include <csignal>

namespace sandbox {

/// Keeps write(2) to a pipe without reader from killing the host, for the calling thread and while
/// this lives: such a write gives EPIPE and nothing else. The host's disposition stays untouched.
class BlockSigpipe {
 public:
  BlockSigpipe();
  BlockSigpipe(const BlockSigpipe&) = delete;
  BlockSigpipe& operator=(const BlockSigpipe&) = delete;
  ~BlockSigpipe();

 private:
  bool was_pending_ = false;
  sigset_t old_{};
};

}  // namespace sandbox
