#include "runtime/base/child_signal.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "sandbox/error.h"

namespace sandbox {
namespace {

UniqueFd open_child_signal() {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  check(::sigprocmask(SIG_BLOCK, &child, nullptr), "sigprocmask", "SIGCHLD");
  return UniqueFd(check(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd", "SIGCHLD"));
}

}  // namespace

ChildSignal::ChildSignal() : fd_(open_child_signal()) {}

void ChildSignal::drain() const noexcept {
  signalfd_siginfo ignored{};
  while (::read(fd_.get(), &ignored, sizeof(ignored)) > 0) {
  }
}

}  // namespace sandbox
