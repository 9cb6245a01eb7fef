#include "fs/fs_identity.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// What the kernel drops when fsuid leaves 0: CAP_FS_SET of linux/capability.h.
constexpr uint32_t kFileCapabilities =
    1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER |
    1U << CAP_FSETID | 1U << CAP_LINUX_IMMUTABLE | 1U << CAP_MKNOD;

uint32_t effective_capabilities() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  ::syscall(SYS_capget, &header, data);
  return data[0].effective;
}

// One look tells whether the change took place: without the two that it needs setfsuid(2) and
// setfsgid(2) do nothing, and with them gone are those of files, unless a securebit or a security
// module keeps fsuid as it was. All are below 32; MAC_OVERRIDE (32) has no meaning without a Smack
// kernel.
bool has_changed() noexcept {
  constexpr uint32_t kNeeded = 1U << CAP_SETUID | 1U << CAP_SETGID;
  const uint32_t effective = effective_capabilities();
  return (effective & kNeeded) == kNeeded && (effective & kFileCapabilities) == 0;
}

std::vector<gid_t> supplementary_groups() {
  constexpr int kFew = 64;
  gid_t few[kFew];
  const int count = ::getgroups(kFew, few);
  if (count >= 0) return {few, few + count};
  std::vector<gid_t> groups(static_cast<size_t>(check(::getgroups(0, nullptr), "getgroups")));
  const int all = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<size_t>(check(all, "getgroups")));
  return groups;
}

// Both return the previous id, and no error: setfsuid(2), BUGS.
uid_t set_fsuid(uid_t uid) noexcept { return static_cast<uid_t>(::syscall(SYS_setfsuid, uid)); }
gid_t set_fsgid(gid_t gid) noexcept { return static_cast<gid_t>(::syscall(SYS_setfsgid, gid)); }

void set_groups(const std::vector<gid_t>& groups) {
  check(::syscall(SYS_setgroups, groups.size(), groups.data()), "setgroups");
}

// As the ids of setfsuid(2) are, this belongs to the thread.
thread_local const Actor* current_actor = nullptr;

}  // namespace

FsIdentity::FsIdentity(const FileOwner& owner)
    : actor_({.agent = owner.agent.get(),
              .agent_only = owner.agent_only,
              .uid = owner.uid,
              .gid = owner.gid}),
      previous_(current_actor) {
  const uid_t euid = ::geteuid();
  if (euid == 0) {
    enter(owner);
  } else if (owner.host_uid != euid && !owner.agent_only) {
    throw Error(EPERM, "setfsuid", owner.name,
                "this process may not act for that user of the sandbox");
  }
  current_actor = &actor_;
}

FsIdentity::~FsIdentity() {
  current_actor = previous_;
  if (entered_) leave();
}

const Actor* FsIdentity::current() noexcept { return current_actor; }

void FsIdentity::enter(const FileOwner& owner) {
  saved_groups_ = supplementary_groups();
  if (!saved_groups_.empty()) set_groups({});
  saved_gid_ = set_fsgid(owner.host_gid);
  saved_uid_ = set_fsuid(owner.host_uid);
  entered_ = true;
  if (owner.host_uid != 0 && has_changed()) return;
  leave();  // A constructor that throws runs no destructor.
  throw Error(EPERM, "setfsuid", owner.name,
              "root here lacks CAP_SETUID or CAP_SETGID, or the user maps to root of the host");
}

// In reverse, and fsuid first: with fsuid 0 the kernel gives the file capabilities back.
void FsIdentity::leave() noexcept {
  set_fsuid(saved_uid_);
  set_fsgid(saved_gid_);
  if (!saved_groups_.empty()) {
    ::syscall(SYS_setgroups, saved_groups_.size(), saved_groups_.data());
  }
  entered_ = false;
}

}  // namespace sandbox
