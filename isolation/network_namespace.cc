#include "isolation/network_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// Returns the name of the call that failed.
const char* bring_up_loopback() noexcept {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return "socket";
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof("lo"));
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int result = ::ioctl(socket, SIOCSIFFLAGS, &request);
  const int error = errno;
  ::close(socket);
  errno = error;
  return result < 0 ? "ioctl(SIOCSIFFLAGS)" : nullptr;
}

}  // namespace

// Shares memory and descriptors with the caller, who goes on meanwhile: no allocation, no throw,
// only system calls. Even errno is shared; it is written when a call fails, and then both fail.
int NetworkNamespace::make(void* self) noexcept {
  auto& result = *static_cast<NetworkNamespace*>(self);
  if (::unshare(CLONE_NEWNET) < 0) {
    result.failed_call_ = "unshare(CLONE_NEWNET)";
  } else if (const char* const call = bring_up_loopback(); call != nullptr) {
    result.failed_call_ = call;
  } else {
    result.network_ = ::openat(result.proc_.get(), "self/ns/net", O_RDONLY | O_CLOEXEC);
    if (result.network_ < 0) result.failed_call_ = "open";
  }
  if (result.failed_call_ != nullptr) result.error_ = errno;
  return 0;
}

NetworkNamespace::NetworkNamespace()
    : proc_(check(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/proc")) {
  void* const top = stack_.data() + stack_.size();
  child_ = check(::clone(make, top, CLONE_VM | CLONE_FILES | SIGCHLD, this), "clone", "network");
}

NetworkNamespace::~NetworkNamespace() { reap(); }

void NetworkNamespace::reap() noexcept {
  if (child_ < 0) return;
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

void NetworkNamespace::enter() {
  reap();
  const UniqueFd network(network_);
  network_ = -1;
  if (failed_call_ != nullptr) throw Error(error_, failed_call_, "network namespace");
  check(::setns(network.get(), CLONE_NEWNET), "setns", "network namespace");
}

}  // namespace sandbox
