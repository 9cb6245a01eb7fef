#include "sandbox/outcome.h"

#include <cstring>

namespace sandbox {
namespace {

struct Describe {
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
  std::string operator()(const SandboxGone&) const { return "the sandbox has ended"; }
};

}  // namespace

std::string to_string(const Outcome& outcome) { return std::visit(Describe{}, outcome); }

}  // namespace sandbox
