#pragma once

#include <string>

#include "runtime/init/probes.h"

namespace sandbox {

/// Runs probes in throw-away processes, one each, so that the host keeps its namespaces, ids and
/// threads. A probe that hangs is killed after two seconds and reported as ETIMEDOUT.
class ProbeRunner {
 public:
  /// `program` is an open sandbox-init, which must outlive this object.
  explicit ProbeRunner(int program) noexcept : program_(program) {}

  /// Never throws for a probe that fails; Error when no process can be started: EACCES where memfds
  /// are not executable.
  ProbeResult run(const char* name, const std::string& argument = {}) const;

 private:
  int program_;
};

}  // namespace sandbox
