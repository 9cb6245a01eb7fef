#pragma once

#include <string>
#include <string_view>

namespace sandbox {

/// How one thing that sandboxes need was found to be.
struct ProbeResult {
  int error = 0;     ///< errno of the step that failed, 0 when everything worked.
  std::string text;  ///< The step, `mount("proc")`, or a detail of what works, `ABI 7`.
};

/// `sandbox-init --probe NAME [ARGUMENT]`: tries the thing and writes `ERRNO TEXT\n` to stdout.
inline constexpr std::string_view kProbeMode = "--probe";

/// Tries `name` in the calling process, which must be a throw-away one with one thread: it moves
/// into namespaces, drops root and may fork. Names: see the table in probes.cc. EINVAL for others.
ProbeResult run_probe(std::string_view name, const std::string& argument);

/// run_probe, and the line for the library on stdout.
void report_probe(std::string_view name, const std::string& argument);

}  // namespace sandbox
