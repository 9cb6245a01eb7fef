#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "sandbox/runtime.h"

namespace sandbox::test {

/// One sandbox with a Runtime of its own. Skips the test where the machine has
/// no user namespaces.
class Box {
 public:
  explicit Box(const SandboxOptions& options = {});

  Runtime& runtime() noexcept { return runtime_; }
  Sandbox& sandbox() noexcept { return sandbox_; }
  const Sandbox& sandbox() const noexcept { return sandbox_; }
  Commands commands() const { return sandbox_.commands(); }
  Files files() const { return sandbox_.files(); }
  /// That of all tests of this process, tests/support/main.cc.
  static std::string data_directory();

  /// Runs `script` in /bin/sh to its end.
  CommandResult sh(const std::string& script, Command how = {}) const;
  /// What `script` printed on stdout; fails the test when it printed on stderr or exited with more
  /// than 0.
  std::string out(const std::string& script, Command how = {}) const;
  /// Starts `script` in /bin/sh.
  Process start(const std::string& script, Command how = {}) const;
  /// True when a process with this name (comm, proc(5)) runs in the sandbox.
  bool runs(const std::string& name) const;

 private:
  Runtime runtime_;
  Sandbox sandbox_;
};

/// Asks again and again until `condition` holds; false when it does not within 20 s.
bool becomes_true(const std::function<bool()>& condition);

/// Reads from `process` until its stdout so far contains `text`, for commands that say when they
/// are ready. Fails the test at the end of the output.
void await_output(const Process& process, const std::string& text);

}  // namespace sandbox::test
