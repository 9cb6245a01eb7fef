#pragma once

#include <optional>
#include <string>

namespace sandbox {

/// Numbers below /proc/sys. A missing file is an answer: this kernel has no such setting.
class Sysctls {
 public:
  /// `root` is another directory in tests.
  explicit Sysctls(std::string root = "/proc/sys") : root_(std::move(root)) {}

  /// `name` as in sysctl(8): "kernel.apparmor_restrict_unprivileged_userns".
  std::optional<long> get(const std::string& name) const;

 private:
  std::string root_;
};

}  // namespace sandbox
