#pragma once

#include <sys/types.h>

#include <string>

#include "sandbox/runtime.h"

namespace sandbox::bench {

/// What `sandboxctl exec` is compared with: a process that lives in seven namespaces made by
/// unshare(1), for nsenter(1) to go to.
class NamespaceHolder {
 public:
  /// Starts it. Throws Error when unshare is missing or not allowed.
  NamespaceHolder();
  NamespaceHolder(const NamespaceHolder&) = delete;
  NamespaceHolder& operator=(const NamespaceHolder&) = delete;
  ~NamespaceHolder();

  /// The process inside, as we see it.
  pid_t pid() const noexcept { return pid_; }

 private:
  pid_t unshare_ = -1;
  pid_t pid_ = -1;
};

/// A detached sandbox, removed at the end of the scope.
class DetachedSandbox {
 public:
  DetachedSandbox();
  DetachedSandbox(const DetachedSandbox&) = delete;
  DetachedSandbox& operator=(const DetachedSandbox&) = delete;
  ~DetachedSandbox();

  const std::string& id() const noexcept { return box_.id(); }

 private:
  Runtime runtime_;
  Sandbox box_;
};

}  // namespace sandbox::bench
