#include "runtime/base/block_sigpipe.h"

#include <pthread.h>

#include <ctime>

namespace sandbox {
namespace {

sigset_t sigpipe_set() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

bool is_pending() {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

BlockSigpipe::BlockSigpipe() : was_pending_(is_pending()) {
  const sigset_t sigpipe = sigpipe_set();
  ::pthread_sigmask(SIG_BLOCK, &sigpipe, &old_);
}

BlockSigpipe::~BlockSigpipe() {
  // One that was pending before is the host's own.
  if (!was_pending_ && is_pending()) {
    const sigset_t sigpipe = sigpipe_set();
    const timespec at_once{};
    ::sigtimedwait(&sigpipe, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
}

}  // namespace sandbox
