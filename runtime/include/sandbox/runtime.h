#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sandbox/options.h"
#include "sandbox/sandbox.h"

namespace sandbox {

/// What the sandboxes of one process share: the launcher, a small helper program that makes
/// namespaces so that this process need not fork (measured: 36 ms in a 4 GiB host, 0.7 ms so).
///
/// create() may be called from several threads at once. Outlive by Sandboxes is fine.
class Runtime {
 public:
  /// Removes what crashed processes left in the data directory. The launcher is started with the
  /// first sandbox. Throws Error: ENOSYS below Linux 5.15, EACCES or EPERM when the data directory
  /// is not usable.
  explicit Runtime(const RuntimeOptions& options = {});
  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  ~Runtime();

  /// Makes a sandbox and returns when commands can run in it; of a template with a start command
  /// when what that starts is ready. The command is a kept one with the tag `start`. Throws Error;
  /// hint() says what to change on this machine, and `sandboxctl doctor` says the same in more
  /// words; ECANCELED when the start command failed and ETIMEDOUT when it was not ready in time,
  /// with the end of what it printed as hint: then there is no sandbox.
  Sandbox create(const SandboxOptions& options = {});

  /// A detached sandbox, by id or name, whoever of this user has made it. Throws Error: EINVAL for
  /// what is neither, ENOENT when there is none, ESRCH when it has ended, EPERM when the directory
  /// belongs to somebody else, EBADMSG or EPROTO when its record cannot be read, ETIMEDOUT when its
  /// PID 1 was stopped.
  Sandbox attach(const std::string& id_or_name);

  /// All living detached sandboxes of this user, oldest first. Each is asked at once with the
  /// others and has two seconds. Of one whose record cannot be read only the id, the processes and
  /// about the age are told; attach() says why, and destroy() ends it.
  std::vector<SandboxInfo> list() const;

  /// As attach() and Sandbox::destroy(), but also of use when PID 1 or the record is not. Throws
  /// Error: EBUSY when it lives and cannot be reached.
  void destroy(const std::string& id_or_name);

  /// Removes what dead sandboxes have left, and returns the ids of the detached ones among them.
  std::vector<std::string> collect();

 private:
  friend struct RuntimeAccess;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
