#include "isolation/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

// The headers of Linux 6.1 end at ABI 2, so this is the interface as of ABI 6, in our words.
struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};
struct [[gnu::packed]] PathBeneathAttributes {
  std::uint64_t allowed_access = 0;
  std::int32_t parent_fd = -1;
};
constexpr std::uint32_t kCreateRulesetVersion = 1;
constexpr int kRulePathBeneath = 1;
constexpr std::uint64_t kScopeAbstractUnixSocket = 1;
constexpr std::uint64_t kScopeSignal = 2;

constexpr int kAbiWithRefer = 2;
constexpr int kAbiWithScopes = 6;

// Execute, read, write, list, remove, create: the 13 rights of ABI 1. Then REFER, TRUNCATE, and
// with ABI 5 IOCTL_DEV.
std::uint64_t rights_of(int abi) {
  std::uint64_t rights = (1U << 13) - 1;
  if (abi >= kAbiWithRefer) rights |= 1U << 13;
  if (abi >= 3) rights |= 1U << 14;
  if (abi >= 5) rights |= 1U << 15;
  return rights;
}

void allow_beneath(int ruleset, int directory, std::uint64_t rights) {
  const PathBeneathAttributes rule{.allowed_access = rights, .parent_fd = directory};
  check(::syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &rule, 0U),
        "landlock_add_rule");
}

}  // namespace

int landlock_abi() noexcept {
  // ENOSYS: not built in. EOPNOTSUPP: built in, but not among the lsm= of the boot.
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

LandlockResult restrict_to_root(int root_fd, std::span<const int> private_mounts) {
  const int abi = landlock_abi();
  if (abi == 0) {
    return {.abi = 0, .weakness = "this kernel has no Landlock, or does not enable it (lsm=)"};
  }
  if (abi < kAbiWithRefer) {
    return {.abi = abi,
            .weakness =
                "Landlock ABI 1 cannot allow renames between directories, and programs "
                "would see EXDEV; Linux 5.19 has ABI 2"};
  }

  RulesetAttributes attributes{.handled_access_fs = rights_of(abi)};
  // The network is the network namespace's business, so no access to ports is handled.
  if (abi >= kAbiWithScopes) attributes.scoped = kScopeAbstractUnixSocket | kScopeSignal;
  const UniqueFd ruleset{static_cast<int>(
      check(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0U),
            "landlock_create_ruleset"))};
  allow_beneath(ruleset.get(), root_fd, attributes.handled_access_fs);
  for (const int mount : private_mounts) {
    allow_beneath(ruleset.get(), mount, attributes.handled_access_fs);
  }
  check(::syscall(SYS_landlock_restrict_self, ruleset.get(), 0U), "landlock_restrict_self");
  return {.abi = abi, .weakness = {}};
}

}  // namespace sandbox
