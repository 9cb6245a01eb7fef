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
  std::string operator()(const TimedOut&) const { return "wall-clock limit reached"; }
  std::string operator()(const SandboxGone&) const { return "the sandbox has ended"; }
};

}  // namespace

std::string to_string(const Outcome& outcome) { return std::visit(Describe{}, outcome); }

}  // namespace sandbox
