#pragma once

#include <linux/capability.h>
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
  CapabilitySet kept = 0;      ///< Permitted and effective, of those it has.
  CapabilitySet bounding = 0;  ///< The most that a program it executes could ever get.
};

/// Init of a sandbox with one id, and every command.
constexpr CapabilityPolicy kNoCapabilities = {};

/// Init of a sandbox with a range of ids: it changes to the ids of a command, signals it, and
/// lowers the bounding set for it. `bounding` has in addition what "root inside" means: power over
/// the ids and ports of the sandbox's own namespaces. Never SYS_ADMIN, NET_ADMIN, NET_RAW,
/// SYS_PTRACE, MKNOD, SYS_MODULE, BPF, PERFMON or DAC_READ_SEARCH.
constexpr CapabilityPolicy kRangeInitCapabilities = {
    .kept = capabilities(CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_SETPCAP),
    .bounding = capabilities(CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_SETPCAP, CAP_CHOWN,
                             CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_NET_BIND_SERVICE)};

/// Gives up what `policy` does not keep, and locks the securebits so that uid 0 is nothing special
/// and nothing comes back. Irreversible; for a single-threaded process with CAP_SETPCAP.
/// Throws Error.
void drop_capabilities(const CapabilityPolicy& policy);

/// Execve can no longer raise privileges, and seccomp and Landlock become available. Throws Error.
void set_no_new_privs();

/// Turns a process of host root into one of `uid`:`gid` with no other groups, that keeps SETUID and
/// SETGID in order to write the id maps of its children. Neither id may be 0. Throws Error.
void give_up_root(uid_t uid, gid_t gid);

}  // namespace sandbox
