#include "runtime/kernel_version.h"

#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "sandbox/error.h"

namespace sandbox {
namespace {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  bool operator<(const KernelVersion& other) const {
    return std::pair(major, minor) < std::pair(other.major, other.minor);
  }
};

KernelVersion kernel_version() {
  utsname name{};
  check(::uname(&name), "uname");
  KernelVersion version;
  if (std::sscanf(name.release, "%d.%d", &version.major, &version.minor) != 2) {
    throw Error(EINVAL, "uname", name.release);
  }
  return version;
}

}  // namespace

void require_kernel() {
  constexpr KernelVersion kFloor{5, 15};
  if (kernel_version() < kFloor) {
    throw Error(ENOSYS, "uname", "kernel", "sandboxes need Linux 5.15; 6.6 or later is better");
  }
}

bool keep_changes_in_memory(const SandboxOptions& options) {
  if (options.upper != Upper::Auto) return options.upper == Upper::Memory;
  if (options.limits.disk_read_rate || options.limits.disk_write_rate) return false;
  constexpr KernelVersion kUserXattrsOnTmpfs{6, 6};
  return !(kernel_version() < kUserXattrsOnTmpfs);
}

}  // namespace sandbox
