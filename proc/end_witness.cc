#include "proc/end_witness.h"

#include <utility>

#include "isolation/cgroup_counter.h"

namespace sandbox {

EndWitness::EndWitness(UniqueFd memory_events, UniqueFd memory_peak, uint64_t limit_bytes) noexcept
    : events_(std::move(memory_events)), peak_(std::move(memory_peak)), limit_bytes_(limit_bytes) {}

uint64_t EndWitness::oom_kills() const noexcept { return read_counter(events_.get(), "oom_kill"); }

Outcome EndWitness::explain(uint64_t kills_before) const noexcept {
  if (by_host_ || oom_kills() <= kills_before) return SandboxGone{};
  return OutOfMemory{.limit_bytes = limit_bytes_,
                     .peak_bytes = read_number(peak_.get()).value_or(0)};
}

}  // namespace sandbox
