#pragma once

#include <sys/types.h>

#include <string>

namespace sandbox {

/// Asks systemd for a scope with Delegate=yes, a cgroup that the caller may divide, and puts the
/// process `pid` of the caller into it: the user's own systemd, or with euid 0 the system's.
///
/// By busctl(1), which is there where systemd is: libsystemd cannot be linked into a static
/// program, and the question is asked once in a process. Returns the name of the unit; when this
/// returns, `pid` is in its cgroup. `busctl` is the program, for tests. Throws Error: EOPNOTSUPP
/// where there is no such systemd, else what it answered.
std::string start_delegated_scope(pid_t pid, const std::string& busctl = "/usr/bin/busctl");

}  // namespace sandbox
