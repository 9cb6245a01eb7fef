#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace sandbox::test {

/// What the host sees of a process, in /proc: never by the word of the process itself.

/// Host pids of `init` and all processes of its pid namespace.
std::vector<pid_t> processes_of(pid_t init);
/// The one that was started as `probe WORD`; -1 when there is none.
pid_t find_probe(pid_t init, const std::string& word);
/// Ids of all threads of `pid`.
std::vector<pid_t> threads_of(pid_t pid);
/// A file of /proc/PID, or of /proc/PID/task/TID.
std::string proc_text(pid_t pid, const std::string& file);
std::string proc_link(pid_t pid, const std::string& link);
/// The fields of /proc/PID/status: {"CapEff", "0000000000000000"}.
std::map<std::string, std::string> status_of_process(pid_t pid);

/// Everything that isolates a process, a line each, without what differs from run to run: the
/// format of posture.golden.
std::vector<std::string> posture(pid_t pid);

}  // namespace sandbox::test
