#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/commands.h"
#include "sandbox/files.h"
#include "sandbox/options.h"
#include "sandbox/process.h"
#include "sandbox/sandbox_info.h"
#include "sandbox/stats.h"

namespace sandbox {

class SandboxCore;

/// One layer of isolation as it was asked for and as it is.
struct IsolationLayer {
  std::string name;       ///< "user namespace", "seccomp", "landlock", …
  std::string requested;  ///< "on", "profile default", "single", …
  std::string effective;  ///< The same words, or what holds instead.
  std::string note;       ///< Why they differ, or a detail such as the Landlock ABI. May be empty.
};

/// How long each step of creating took, in the order they happen.
struct SetupStep {
  std::string name;
  std::chrono::microseconds elapsed{0};
};

/// A running sandbox. An owned one ends when this object or the whole host process does; a detached
/// one does not, and other processes may be using it at the same time.
///
/// Move-only; one thread at a time, except for commands(), which several threads may use at once.
/// It starts no thread, handles no signal and changes nothing of the process it lives in.
class Sandbox {
 public:
  explicit Sandbox(std::shared_ptr<SandboxCore> core) noexcept;
  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;
  ~Sandbox();

  /// 12 hexadecimal digits, unique on this machine.
  const std::string& id() const noexcept;
  /// What it is and how it is doing now. Throws Error: EPIPE when it has ended.
  SandboxInfo info() const;
  /// Ends it, or pauses it as SandboxOptions::ttl_action says, so long from now, in place of what
  /// was set before; nothing: never. Throws Error: EINVAL unless above zero, EPIPE when it has
  /// ended, ETIMEDOUT when its PID 1 was stopped.
  void set_ttl(std::optional<std::chrono::milliseconds> ttl);

  Commands commands() const noexcept;
  Files files() const;

  /// Requested and effective isolation, layer by layer.
  std::vector<IsolationLayer> isolation() const;
  const std::vector<SetupStep>& setup_steps() const noexcept;

  /// PID 1 of the sandbox as the host sees it. Changes meaning when the sandbox has ended: for
  /// waiting and killing use pidfd().
  pid_t host_pid() const noexcept;
  /// pidfd of PID 1: readable when the sandbox has ended, pidfd_open(2).
  int pidfd() const noexcept;

  /// True when it has directories that destroy() removes: of its changes, or its cgroup. False: the
  /// kernel removes all of it when this process ends, so a program that is about to end may leave
  /// it to that.
  bool has_directory() const noexcept;

  /// Stops every process in it but PID 1, wherever it is, until resume(). A command that is started
  /// meanwhile is refused with EBUSY, signals other than SIGKILL wait, clocks of time limits run
  /// on; files() and destroy() work as ever. Takes a cgroup: a sandbox with limits, or
  /// Limits::own_cgroup. Throws Error: EOPNOTSUPP without, ETIMEDOUT when a process is in
  /// uninterruptible sleep. Twice is fine.
  void pause();
  /// Lets them go on. One that its time to live has paused has the same time from now on.
  void resume();

  /// What it uses now.
  SandboxStats stats() const;

  /// Kills every process in it, waits until they are gone and removes what it wrote. Twice is
  /// fine. Throws Error with ETIMEDOUT when a process does not die (uninterruptible sleep).
  void destroy();

 private:
  std::shared_ptr<SandboxCore> core_;
};

}  // namespace sandbox
