#include "isolation/capabilities.h"

#include <grp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <type_traits>

#include "sandbox/error.h"

namespace sandbox {
namespace {

struct FreeCapabilities {
  void operator()(cap_t state) const { ::cap_free(state); }
};
using CapabilityState = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

// The kernel may know more capabilities than our headers, so its count is asked for.
void lower_bounding_set(CapabilitySet kept) {
  for (cap_value_t capability = 0; capability < ::cap_max_bits(); ++capability) {
    if ((kept & capabilities(capability)) != 0) continue;
    check(::cap_drop_bound(capability), "prctl(PR_CAPBSET_DROP)", std::to_string(capability));
  }
}

// As far as they were permitted; inheritable is cleared.
void set_own(CapabilitySet effective, CapabilitySet permitted) {
  const CapabilityState current(::cap_get_proc());
  if (!current) throw Error(errno, "capget", "");
  const CapabilityState next(::cap_init());
  if (!next) throw Error(errno, "cap_init", "");

  for (cap_value_t capability = 0; capability < ::cap_max_bits(); ++capability) {
    const CapabilitySet bit = capabilities(capability);
    if (((effective | permitted) & bit) == 0) continue;
    cap_flag_value_t had = CAP_CLEAR;
    check(::cap_get_flag(current.get(), capability, CAP_PERMITTED, &had), "cap_get_flag");
    if (had == CAP_CLEAR) continue;
    check(::cap_set_flag(next.get(), CAP_PERMITTED, 1, &capability, CAP_SET), "cap_set_flag");
    if ((effective & bit) == 0) continue;
    check(::cap_set_flag(next.get(), CAP_EFFECTIVE, 1, &capability, CAP_SET), "cap_set_flag");
  }
  check(::cap_set_proc(next.get()), "capset");
}

}  // namespace

void drop_capabilities(const CapabilityPolicy& policy) {
  // Both need CAP_SETPCAP, so the own sets are last.
  lower_bounding_set(policy.bounding);
  check(::prctl(PR_SET_SECUREBITS, policy.securebits), "prctl(PR_SET_SECUREBITS)");
  // Not cap_reset_ambient(3), which asks for each capability first: 41 calls.
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl(PR_CAP_AMBIENT)");
  set_own(policy.effective, policy.permitted);
}

void set_no_new_privs() {
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
}

void give_up_root(uid_t uid, gid_t gid) {
  if (uid == 0 || gid == 0) {
    throw Error(EINVAL, "give_up_root", "0", "root of the host must stay outside of sandboxes");
  }
  check(::setgroups(0, nullptr), "setgroups");
  check(::setresgid(gid, gid, gid), "setresgid");
  // A change of all uids from 0 clears the capabilities, unless told not to: capabilities(7).
  check(::prctl(PR_SET_KEEPCAPS, 1), "prctl(PR_SET_KEEPCAPS)");
  check(::setresuid(uid, uid, uid), "setresuid");
  constexpr CapabilitySet kKept = capabilities(CAP_SETUID, CAP_SETGID);
  set_own(kKept, kKept);
  check(::prctl(PR_SET_KEEPCAPS, 0), "prctl(PR_SET_KEEPCAPS)");
  // A change of ids ends it, and /proc/self would belong to root: PR_SET_DUMPABLE in prctl(2).
  check(::prctl(PR_SET_DUMPABLE, 1), "prctl(PR_SET_DUMPABLE)");
}

}  // namespace sandbox
