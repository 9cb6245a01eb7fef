#include "runtime/host_identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>

#include "isolation/subordinate_ids.h"
#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// Ids a sandbox has: 0 to 65535, as distributions number them.
constexpr uint32_t kIds = 65536;
// What `user` is in a sandbox without an own idea of it.
constexpr uint32_t kDefaultUser = 1000;
// Far above what distributions hand out, and below 2^31, where old programs see negative numbers.
constexpr uint32_t kFirstIdOfRootCallers = 0x7A000000;

std::string read_or_empty(const char* path) {
  try {
    return read_kernel_file(AT_FDCWD, path);
  } catch (const Error& error) {
    if (error.code().value() != ENOENT) throw;
    return {};
  }
}

uint32_t first_id(const char* path) {
  const auto range = find_subordinate_range(read_or_empty(path), "sandbox", 0, kIds);
  return range ? range->first : kFirstIdOfRootCallers;
}

// The name in passwd(5) that subuid(5) may go by. Not getpwuid(3): that loads name service plugins,
// which a static program cannot and a library should not.
std::string name_of_caller() {
  const Accounts accounts(read_or_empty("/etc/passwd"), {});
  for (const Account& account : accounts.all()) {
    if (account.uid == ::geteuid()) return account.name;
  }
  return {};
}

std::optional<IdRange> find_range(const char* path) {
  return find_subordinate_range(read_or_empty(path), name_of_caller(), ::geteuid(), kIds - 1);
}

IdRange require_range(const char* path) {
  if (const auto range = find_range(path)) return *range;
  throw Error(ENOENT, "find subordinate ids", path,
              "`ids: range` takes 65536 of them; run as root: usermod --add-subuids "
              "100000-165535 --add-subgids 100000-165535 " +
                  name_of_caller());
}

IdPlan plan_single(const std::string& user, const Accounts& accounts,
                   const HostIdentity& identity) {
  const std::optional<Account> account = accounts.find(user);
  if (!account) {
    throw Error(EINVAL, "find user", user, "the template's /etc/passwd has no such user");
  }
  return {.map = IdMap::to({account->uid, account->gid}, {identity.uid, identity.gid}),
          .writer = MapWriter::Self,
          .effective = Ids::Single};
}

IdPlan plan_range(const Accounts& accounts, const HostIdentity& identity) {
  if (identity.root_caller) {
    return {.map = IdMap({{0, identity.first_uid, kIds}}, {{0, identity.first_gid, kIds}}),
            .writer = MapWriter::Privileged,
            .effective = Ids::Range};
  }
  const Account user = accounts.find("user").value();
  return {.map = IdMap::range({user.uid, user.gid}, {identity.uid, identity.gid},
                              require_range("/etc/subuid"), require_range("/etc/subgid")),
          .writer = MapWriter::Newuidmap,
          .effective = Ids::Range};
}

}  // namespace

HostIdentity HostIdentity::of_caller() {
  if (::geteuid() != 0) return {.uid = ::geteuid(), .gid = ::getegid()};
  const uint32_t uid = first_id("/etc/subuid");
  const uint32_t gid = first_id("/etc/subgid");
  return {.uid = uid + kDefaultUser,
          .gid = gid + kDefaultUser,
          .root_caller = true,
          .first_uid = uid,
          .first_gid = gid};
}

bool has_subordinate_ids(const HostIdentity& identity) {
  return identity.root_caller || (find_range("/etc/subuid") && find_range("/etc/subgid"));
}

IdPlan plan_ids(Ids ids, const std::string& user, const Accounts& accounts,
                const HostIdentity& identity) {
  if (ids == Ids::Range) return plan_range(accounts, identity);
  return plan_single(user, accounts, identity);
}

}  // namespace sandbox
