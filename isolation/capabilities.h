#pragma once

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/types.h>

#include <cstdint>

namespace sandbox {

/// Capabilities as bits, `1 << CAP_…`: capabilities(7).
using CapabilitySet = std::uint64_t;

template <typename... Ints>
constexpr CapabilitySet capabilities(Ints... names) noexcept {
  return ((CapabilitySet{1} << names) | ... | CapabilitySet{0});
}

/// What a process may keep. The inheritable and ambient sets become empty in any case: they hand
/// capabilities to programs that never asked (CVE-2022-24769).
struct CapabilityPolicy {
  CapabilitySet effective = 0;  ///< Of those it has, what it uses without another word.
  CapabilitySet permitted = 0;  ///< Of those it has, what it may use and hand to its children.
  CapabilitySet bounding = 0;   ///< The most that a program it executes could ever get.
  /// SECBIT_* and their locks: capabilities(7).
  unsigned long securebits = 0;
};

/// Uid 0 is nothing special, no change of ids gives or takes a capability, nothing becomes ambient.
constexpr unsigned long kRootIsNobody =
    SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_CAP_AMBIENT_RAISE;
/// The locks of these bits. KEEP_CAPS is locked while it is clear.
constexpr unsigned long kLocks = SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS_LOCKED;

/// Init of a sandbox with one id, and every command that is not run by "root inside".
constexpr CapabilityPolicy kNoCapabilities = {.securebits = kRootIsNobody | kLocks};

/// "Root inside": commands of uid 0 in a sandbox with a range of ids. Power over the ids and ports
/// of the sandbox's own namespaces: what chown, su, apt and dpkg need. Never SYS_ADMIN, NET_ADMIN,
/// NET_RAW, SYS_PTRACE, SYS_CHROOT, MKNOD, SYS_MODULE, BPF, PERFMON or DAC_READ_SEARCH.
constexpr CapabilitySet kRootInside =
    capabilities(CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID,
                 CAP_SETUID, CAP_NET_BIND_SERVICE);

/// A command of root inside. Uid 0 keeps its capabilities over execve(2) and loses them when it
/// becomes another user; under no_new_privs nobody gets them back.
constexpr CapabilityPolicy kRootCommandCapabilities = {
    .effective = kRootInside,
    .permitted = kRootInside,
    .bounding = kRootInside,
    // KEEP_CAPS stays open: setpriv(1) wants it, and it does not outlast execve(2).
    .securebits = SECBIT_NO_CAP_AMBIENT_RAISE | (kLocks ^ SECBIT_KEEP_CAPS_LOCKED)};

/// Init of a sandbox with a range of ids: it changes to the ids of a command, signals it, and gives
/// it one of the two policies above, for which its own securebits stay open. The rest of what root
/// inside has, it holds for its children and does not use: init's own look at a file is no more
/// privileged than anybody's. SETPCAP keeps commands from tracing it, who never have it: ptrace(2).
constexpr CapabilityPolicy kRangeInitCapabilities = {
    .effective = capabilities(CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_SETPCAP),
    .permitted = kRootInside | capabilities(CAP_SETPCAP),
    .bounding = kRootInside | capabilities(CAP_SETPCAP),
    .securebits = kRootIsNobody | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED};

/// The process that makes file calls for the host: what root has over files of its user namespace,
/// and the ids that new files get. It executes nothing.
constexpr CapabilitySet kOverFiles =
    capabilities(CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_SETUID, CAP_SETGID);
constexpr CapabilityPolicy kFileAgentCapabilities = {
    .effective = kOverFiles, .permitted = kOverFiles, .securebits = kRootIsNobody | kLocks};

/// Gives up what `policy` does not keep, and sets the securebits. Irreversible as far as they are
/// locked; for a single-threaded process with CAP_SETPCAP. Throws Error.
void drop_capabilities(const CapabilityPolicy& policy);

/// Execve can no longer raise privileges, and seccomp and Landlock become available. Throws Error.
void set_no_new_privs();

/// Turns a process of host root into one of `uid`:`gid` with no other groups, that keeps SETUID and
/// SETGID in order to write the id maps of its children. Neither id may be 0. Throws Error.
void give_up_root(uid_t uid, gid_t gid);

}  // namespace sandbox
