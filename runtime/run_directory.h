#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/message_socket.h"
#include "runtime/box_record.h"
#include "runtime/host_identity.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// 48 random bits as 12 hexadecimal digits.
std::string make_sandbox_id();

/// A place for a detached sandbox that is being made: `RUN/ID`, locked, with a bound socket in it.
/// Removed at the end of the scope unless it was kept.
class BoxPlace {
 public:
  BoxPlace(std::string run_path, std::string id, std::string name, UniqueFd lock);
  BoxPlace(BoxPlace&&) noexcept = default;
  BoxPlace& operator=(BoxPlace&&) = delete;
  ~BoxPlace();

  const std::string& id() const noexcept { return id_; }
  const std::string& path() const noexcept { return path_; }
  /// For init to hold: as long as somebody does, the sandbox counts as alive.
  int lock() const noexcept { return lock_.get(); }
  /// For init to listen on.
  int socket() const noexcept { return socket_.get(); }

  /// Puts the record there, whole or not at all. Throws Error.
  void write(const BoxRecord& record) const;
  /// From now on the lock of init decides.
  void keep() noexcept;

 private:
  std::string run_path_;
  std::string id_;
  std::string name_;
  std::string path_;
  UniqueFd lock_;
  UniqueFd socket_;
};

/// A control connection to PID 1 of a living detached sandbox.
struct BoxConnection {
  MessageSocket control;
  pid_t host_pid = 0;
  UniqueFd pidfd;
};

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
  /// Of all living ones, in no order.
  std::vector<std::string> ids() const;

  /// Throws Error: ENOENT, EBADMSG or EPROTO for a record that is missing, garbage or of a later
  /// version.
  BoxRecord read(const std::string& id) const;
  /// Works whether or not PID 1 answers. Throws Error: ESRCH when it has just ended.
  BoxConnection connect(const std::string& id) const;

  /// Removes what a dead sandbox left; false when it lives or somebody else has removed it.
  bool remove(const std::string& id) const;
  /// Removes what all dead ones left and returns their ids.
  std::vector<std::string> collect() const;

 private:
  UniqueFd open_own() const;

  std::string path_;
};

}  // namespace sandbox
