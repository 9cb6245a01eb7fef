#include "isolation/network_namespace.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstring>

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

FailedCall enter_new_network_namespace() noexcept {
  const FailedCall failure =
      failed("unshare(CLONE_NEWNET)", raw_syscall(SYS_unshare, CLONE_NEWNET));
  return failure ? failure : bring_up_loopback();
}

}  // namespace sandbox
