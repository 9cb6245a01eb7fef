#include "sandbox/outcome.h"

#include <cstring>

namespace sandbox {
namespace {

std::string mebibytes(uint64_t bytes) {
  constexpr uint64_t kMiB = 1 << 20;
  const uint64_t tenths = (bytes * 10 + kMiB / 2) / kMiB;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " MiB";
}

std::string with_code(int exit_code) { return "exited with " + std::to_string(exit_code); }

struct InWords {
  std::string operator()(const Exited& exited) const {
    return "exited with " + std::to_string(exited.code);
  }
  std::string operator()(const Signaled& signaled) const {
    const char* const name = ::sigabbrev_np(signaled.signal);
    const std::string signal =
        name == nullptr ? "signal " + std::to_string(signaled.signal) : std::string("SIG") + name;
    return "killed by " + signal + (signaled.core_dumped ? " (core dumped)" : "");
  }
  std::string operator()(const TimedOut& timed_out) const {
    switch (timed_out.which) {
      case TimeLimit::Wall:
        return "wall-clock limit reached";
      case TimeLimit::Cpu:
        return "CPU time limit reached";
      case TimeLimit::Idle:
        return "no output for as long as the limit";
    }
    return "time limit reached";
  }
  std::string operator()(const OutputLimit& limit) const {
    return "more output than " + std::to_string(limit.limit_bytes) + " bytes";
  }
  std::string operator()(const OutOfMemory& o) const {
    std::string text = "out of memory";
    if (o.limit_bytes != 0) text += ": the limit is " + mebibytes(o.limit_bytes);
    return o.peak_bytes == 0 ? text : text + ", the peak was " + mebibytes(o.peak_bytes);
  }
  std::string operator()(const PidLimit& p) const {
    return with_code(p.exit_code) + " after the limit of " + std::to_string(p.limit) +
           " processes was reached " + std::to_string(p.refused) + " times";
  }
  std::string operator()(const DiskLimit& d) const {
    return with_code(d.exit_code) + " with the disk of " + mebibytes(d.limit_bytes) + " full";
  }
  std::string operator()(const SandboxGone&) const { return "the sandbox has ended"; }
};

}  // namespace

std::string to_string(const Outcome& outcome) { return std::visit(InWords{}, outcome); }

}  // namespace sandbox
