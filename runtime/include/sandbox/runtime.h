#pragma once

#include <memory>

#include "sandbox/options.h"
#include "sandbox/sandbox.h"

namespace sandbox {

/// What the sandboxes of one process share: the launcher, a small helper program that makes
/// namespaces so that this process need not fork (measured: 36 ms in a 4 GiB host, 0.7 ms so).
///
/// create() may be called from several threads at once. Outlive by Sandboxes is fine.
class Runtime {
 public:
  /// Starts the launcher and removes what crashed processes left in the data directory. Throws
  /// Error: ENOSYS below Linux 5.15, EACCES or EPERM when the data directory is not usable.
  explicit Runtime(const RuntimeOptions& options = {});
  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  ~Runtime();

  /// Makes a sandbox and returns when commands can run in it. Throws Error; hint() says what to
  /// change on this machine, and `sandboxctl doctor` says the same in more words.
  Sandbox create(const SandboxOptions& options = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
