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
using Outcome = std::variant<Exited, Signaled, TimedOut, OutputLimit, SandboxGone>;

/// What a command used, from wait4(2): itself and the descendants it waited for.
struct Usage {
  std::chrono::microseconds wall{0};    ///< CLOCK_MONOTONIC, from execve to its end.
  std::chrono::microseconds user{0};    ///< CPU time in user mode.
  std::chrono::microseconds system{0};  ///< CPU time in the kernel.
  uint64_t peak_memory_bytes = 0;       ///< Largest resident set of any one process.
  uint64_t voluntary_switches = 0;      ///< Context switches while waiting.
  uint64_t involuntary_switches = 0;    ///< Context switches because the time slice ended.
};

/// One line for a person: `exited with 7`, `killed by SIGSEGV`, `wall-clock limit reached`.
std::string to_string(const Outcome& outcome);

}  // namespace sandbox
