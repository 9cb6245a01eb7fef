#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sandbox {

/// Which processes belong to which command, without a cgroup.
///
/// Parent links break when a daemon forks twice, sessions when it calls setsid. RLIMIT_LOCKS does
/// not: it has had no effect since Linux 2.4.25, every child inherits it, and the seccomp filter
/// forbids to set it. init gives each command a value of its own and reads it back from
/// /proc/[pid]/limits.

/// The pids whose RLIMIT_LOCKS is `tag`, in the procfs open as `proc`, which must show all
/// processes. Zombies are among them: what looks like one may have threads that run.
std::vector<pid_t> find_tree(int proc, uint64_t tag);

/// The tag of a process, zombies included; nothing when it is gone or has none.
std::optional<uint64_t> tag_of(int proc, pid_t pid);

/// Reads `file` of /proc/[pid]. A process may end while we look at it: that is an empty answer, no
/// error.
std::string read_proc_entry(int proc, pid_t pid, const char* file);

/// How many processes there are beside PID 1.
std::size_t count_processes(int proc);

/// True when a signal has stopped the process, proc(5).
bool is_stopped(int proc, pid_t pid);

/// Sends `signal` to all that find_tree finds. With SIGKILL it returns when none is left that could
/// run, however fast they fork: after some rounds everything in the pid namespace is stopped for
/// the moment of the search. Called by PID 1 of the namespace.
void signal_tree(int proc, uint64_t tag, int signal);

}  // namespace sandbox
