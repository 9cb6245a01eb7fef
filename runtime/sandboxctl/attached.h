#pragma once

#include <string>

#include "sandbox/runtime.h"

namespace sandboxctl {

/// A detached sandbox that somebody has named on the command line.
class Attached {
 public:
  /// Throws Failure (125). `doing` is for require_alive().
  Attached(const char* doing, std::string id);

  sandbox::Files files() const { return box_.files(); }
  /// Readable when the sandbox has ended.
  int pidfd() const noexcept { return box_.pidfd(); }

  /// To be called when the work is done: what is written to a sandbox that has ended is lost, but
  /// succeeds as long as this process holds its file system. Throws Failure.
  void require_alive() const;

 private:
  const char* doing_;
  std::string id_;
  sandbox::Runtime runtime_;
  sandbox::Sandbox box_;
};

}  // namespace sandboxctl
