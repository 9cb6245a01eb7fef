#pragma once

#include <sys/types.h>

#include <string>

#include "isolation/id_map.h"
#include "runtime/init/launch_request.h"
#include "sandbox/options.h"
#include "templates/accounts.h"

namespace sandbox {

/// Which ids of the host sandboxes of this process use.
struct HostIdentity {
  uid_t uid = 0;  ///< What the sandbox's default user is outside. Never 0.
  gid_t gid = 0;
  /// Euid 0: `uid` and `gid` lie 1000 above the first of 65536 ids that nobody else has.
  bool root_caller = false;
  uid_t first_uid = 0;
  gid_t first_gid = 0;

  /// Of the calling process. With euid 0 the subordinate range of the account `sandbox` in
  /// /etc/subuid and /etc/subgid, else a fixed high range.
  static HostIdentity of_caller();
};

/// How ids are mapped into one sandbox, and who writes the map.
struct IdPlan {
  IdMap map;
  MapWriter writer = MapWriter::Self;
  Ids effective = Ids::Single;
};

/// True when a range of ids is to be had.
bool has_subordinate_ids(const HostIdentity& identity);

/// `ids` is Single or Range; `user` is who has the one id. Throws Error: EINVAL for a user the
/// template does not have, ENOENT or EPERM when subordinate ids are not to be had.
IdPlan plan_ids(Ids ids, const std::string& user, const Accounts& accounts,
                const HostIdentity& identity);

}  // namespace sandbox
