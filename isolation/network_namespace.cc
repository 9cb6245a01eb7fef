#include "isolation/network_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstring>

#include "sandbox/error.h"

namespace sandbox {
namespace {

FailedCall bring_up_loopback() noexcept {
  const long socket = raw_syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return failed("socket", socket);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof("lo"));
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const long result = raw_syscall(SYS_ioctl, socket, SIOCSIFFLAGS, to_argument(&request));
  raw_syscall(SYS_close, socket);
  return failed("ioctl(SIOCSIFFLAGS)", result);
}

}  // namespace

NetworkNamespace::NetworkNamespace()
    : proc_(check(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/proc")) {}

FailedCall NetworkNamespace::make(void* self) noexcept {
  auto& made = *static_cast<NetworkNamespace*>(self);
  const long result = raw_syscall(SYS_unshare, CLONE_NEWNET);
  if (result < 0) return failed("unshare(CLONE_NEWNET)", result);
  if (const FailedCall failure = bring_up_loopback()) return failure;
  const long network =
      raw_syscall(SYS_openat, made.proc_.get(), to_argument("self/ns/net"), O_RDONLY | O_CLOEXEC);
  made.network_ = static_cast<int>(network);
  return failed("open(network namespace)", network);
}

void NetworkNamespace::enter() {
  const UniqueFd network(network_);
  network_ = -1;
  check(::setns(network.get(), CLONE_NEWNET), "setns", "network namespace");
}

}  // namespace sandbox
