#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "fs/file_owner.h"

namespace sandbox {

/// Whom a thread acts for, as far as fs/acting.h has to know.
struct Actor {
  FileAgent* agent = nullptr;  ///< Null: what is denied stays denied.
  bool agent_only = false;
  uid_t uid = 0;  ///< Inside the sandbox.
  gid_t gid = 0;
};

/// While it lives, the calling thread touches files with the rights of `owner` and no others,
/// besides those that fs/acting.h asks the sandbox's FileAgent for.
///
/// A host process that is not root is the owner already, and nothing happens. With euid 0 the
/// thread's fsuid, fsgid and supplementary groups become the owner's: setfsuid(2), by raw system
/// calls, because glibc's setgroups() would change every thread of the process. With fsuid != 0 the
/// kernel takes the file capabilities (CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, ...) out of the
/// effective set: capabilities(7). Measured: 2.4 us, so it is kept away from reading and writing
/// own files.
///
/// Scopes nest. Belongs to one thread; never run code of the caller (a callback) under it.
class FsIdentity {
 public:
  /// Throws Error: EPERM when this process cannot act for `owner` (another uid of a range map) and
  /// no agent does, or when it is root in name only (no CAP_SETUID, or a securebit that keeps
  /// capabilities).
  explicit FsIdentity(const FileOwner& owner);
  FsIdentity(const FsIdentity&) = delete;
  FsIdentity& operator=(const FsIdentity&) = delete;
  ~FsIdentity();

  /// The innermost of the calling thread; null outside of any.
  static const Actor* current() noexcept;

 private:
  void enter(const FileOwner& owner);
  void leave() noexcept;

  Actor actor_;
  const Actor* previous_ = nullptr;
  bool entered_ = false;
  uid_t saved_uid_ = 0;
  gid_t saved_gid_ = 0;
  std::vector<gid_t> saved_groups_;
};

/// FsIdentity of `owner`, or this process itself for null.
class MaybeIdentity {
 public:
  explicit MaybeIdentity(const FileOwner* owner) {
    if (owner != nullptr) identity_.emplace(*owner);
  }

 private:
  std::optional<FsIdentity> identity_;
};

}  // namespace sandbox
