#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

namespace sandbox {

/// The command ended by itself with `code`, 0 to 255.
struct Exited {
  int code = 0;
  bool operator==(const Exited&) const = default;
};

/// A signal ended the command: signal(7).
///
/// What a sandbox may not call fails with EPERM or ENOSYS, and the program decides what becomes of
/// that: there is no such end as "system call denied". The exception are system calls of another
/// architecture (32-bit, x32), for which the kernel kills the whole process with SIGSYS; it does
/// not tell anybody which call that was, nor that it was not kill(2) with this signal.
struct Signaled {
  int signal = 0;
  bool core_dumped = false;
  bool operator==(const Signaled&) const = default;
};

/// Which clock ran out.
enum class TimeLimit {
  Wall,  ///< Command::timeout.
  Cpu,   ///< Command::cpu_time.
  Idle,  ///< Command::idle_timeout.
};

/// A time limit ended the command and every process it had started.
struct TimedOut {
  TimeLimit which = TimeLimit::Wall;
  bool operator==(const TimedOut&) const = default;
};

/// The kernel killed the command, or a child whose end it reported as a shell does (137), for want
/// of memory.
struct OutOfMemory {
  uint64_t limit_bytes = 0;  ///< Limits::memory_bytes; 0: what was short was the host's memory.
  uint64_t peak_bytes = 0;   ///< Of the whole sandbox, so far. 0 before Linux 5.19.
  bool operator==(const OutOfMemory&) const = default;
};

/// The command failed after the sandbox had refused it, or another at the same time, a process.
struct PidLimit {
  uint64_t limit = 0;
  uint64_t refused = 0;  ///< How often, while the command ran.
  int exit_code = 0;     ///< Of the command, as a shell gives it.
  bool operator==(const PidLimit&) const = default;
};

/// The command failed, and at its end nothing more could be written: no byte or no inode was left.
struct DiskLimit {
  uint64_t limit_bytes = 0;
  int exit_code = 0;  ///< Of the command, as a shell gives it.
  bool operator==(const DiskLimit&) const = default;
};

/// Output beyond Command::max_output ended the command and every process it had started.
struct OutputLimit {
  uint64_t limit_bytes = 0;
  bool operator==(const OutputLimit&) const = default;
};

/// The sandbox ended first: it was destroyed, or somebody killed its PID 1 from outside.
struct SandboxGone {
  bool operator==(const SandboxGone&) const = default;
};

/// How a command ended. Always a value: a command that could not be *started* is an Error.
using Outcome = std::variant<Exited, Signaled, TimedOut, OutOfMemory, PidLimit, DiskLimit,
                             OutputLimit, SandboxGone>;

/// What a command used, from wait4(2): itself and the descendants it waited for.
struct Usage {
  std::chrono::microseconds wall{0};    ///< CLOCK_MONOTONIC, from execve to its end.
  std::chrono::microseconds user{0};    ///< CPU time in user mode.
  std::chrono::microseconds system{0};  ///< CPU time in the kernel.
  uint64_t peak_memory_bytes = 0;       ///< Largest resident set of any one process.
  uint64_t voluntary_switches = 0;      ///< Context switches while waiting.
  uint64_t involuntary_switches = 0;    ///< Context switches because the time slice ended.
  uint64_t read_bytes = 0;              ///< From disks, in units of 512; not from memory.
  uint64_t written_bytes = 0;           ///< To disks, likewise.

  /// What the whole sandbox was seen to do while the command ran; only with a cgroup of its own.
  uint64_t sandbox_peak_memory_bytes = 0;  ///< Since it was made. 0 before Linux 5.19.
  uint64_t sandbox_peak_pids = 0;          ///< Since it was made. 0 before Linux 6.11.
  uint64_t oom_kills = 0;                  ///< Processes killed for want of memory.
  uint64_t refused_forks = 0;              ///< Processes refused by Limits::pids.
};

/// One line for a person: `exited with 7`, `killed by SIGSEGV`, `wall-clock limit reached`.
std::string to_string(const Outcome& outcome);

}  // namespace sandbox
