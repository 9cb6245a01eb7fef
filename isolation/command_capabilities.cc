#include "isolation/command_capabilities.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sandbox {

// By raw capset(2): libcap allocates. Ambient and inheritable are empty since init began.
const char* try_drop_capabilities(const CapabilityPolicy& policy) noexcept {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    const CapabilitySet bit = capabilities(capability);
    if ((kRangeInitCapabilities.bounding & bit) == 0 || (policy.bounding & bit) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return "prctl(PR_CAPBSET_DROP)";
  }
  if (::prctl(PR_SET_SECUREBITS, policy.securebits) != 0) return "prctl(PR_SET_SECUREBITS)";
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct next[2] = {};
  for (unsigned half = 0; half < 2; ++half) {
    next[half].effective = static_cast<__u32>(policy.effective >> (32 * half));
    next[half].permitted = static_cast<__u32>(policy.permitted >> (32 * half));
  }
  return ::syscall(SYS_capset, &header, next) == 0 ? nullptr : "capset";
}

}  // namespace sandbox
