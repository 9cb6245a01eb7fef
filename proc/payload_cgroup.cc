#include "proc/payload_cgroup.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "isolation/cgroup_counter.h"
#include "sandbox/error.h"

namespace sandbox {

PayloadCgroup::PayloadCgroup(std::vector<UniqueFd> descriptors)
    : descriptors_(std::move(descriptors)) {
  if (descriptors_.size() != kDescriptors) throw Error(EBADMSG, "launch", "cgroup");
}

bool PayloadCgroup::frozen() const noexcept { return read_number(at(6)) == 1; }

bool PayloadCgroup::freeze() const noexcept { return ::pwrite(at(6), "1", 1, 0) == 1; }

uint64_t PayloadCgroup::oom_kills() const noexcept { return read_counter(at(2), "oom_kill"); }

uint64_t PayloadCgroup::refused_forks() const noexcept { return read_counter(at(4), "max"); }

uint64_t PayloadCgroup::peak_memory_bytes() const noexcept {
  return read_number(at(3)).value_or(0);
}

uint64_t PayloadCgroup::peak_pids() const noexcept {
  const uint64_t with_init = read_number(at(5)).value_or(0);
  return with_init == 0 ? 0 : with_init - 1;
}

}  // namespace sandbox
