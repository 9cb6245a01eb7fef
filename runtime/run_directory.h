#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "runtime/box_connection.h"
#include "runtime/box_place.h"
#include "runtime/box_record.h"
#include "runtime/host_identity.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Where detached sandboxes are found: one directory each, 0700.
///
/// The truth is in the kernel: a sandbox lives as long as its PID 1 holds the flock(2) of its
/// directory. What has no lock is what a dead one left, and goes at the next occasion. Safe to use
/// from several processes at once.
class RunDirectory {
 public:
  /// `configured`, else below `data_directory` if the caller configured that; else
  /// $SANDBOX_HOME/run; else /run/sandbox with euid 0, $XDG_RUNTIME_DIR/sandbox, or
  /// `data_path`/run.
  static std::string locate(const std::string& configured, const std::string& data_directory,
                            const std::string& data_path, const HostIdentity& identity);

  /// Nothing is touched until something is asked.
  explicit RunDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const noexcept { return path_; }

  /// Takes `name`, if there is one. Throws Error: EEXIST when a living sandbox has it, EINVAL when
  /// it is none.
  BoxPlace make_place(const std::string& name) const;

  /// The id of a living sandbox. Throws Error: EINVAL, ENOENT, ESRCH when it has ended, EPERM when
  /// its directory belongs to somebody else.
  std::string find(const std::string& id_or_name) const;
  bool is_alive(const std::string& id) const;
  /// Of all living ones, in no order.
  std::vector<std::string> ids() const;

  /// Throws Error: ENOENT, EBADMSG or EPROTO for a record that is missing, garbage or of a later
  /// version.
  BoxRecord read(const std::string& id) const;
  /// The same, or what can be known of a sandbox without: its id, and since when there is its
  /// directory. Throws Error when that has gone.
  BoxRecord read_or_guess(const std::string& id) const;
  /// Works whether or not PID 1 answers. Throws Error: ESRCH when it has just ended.
  BoxConnection connect(const std::string& id) const;

  /// Removes what a dead sandbox left, here and where its record says; false when it lives or
  /// somebody else has removed it. Throws Error; it can then be tried again.
  bool remove(const std::string& id) const;
  /// Removes what all dead ones left, as far as that goes, and returns their ids.
  std::vector<std::string> collect() const;

 private:
  UniqueFd open_own() const;

  std::string path_;
};

}  // namespace sandbox
