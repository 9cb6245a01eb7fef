#include "isolation/rlimits.h"

#include <algorithm>

#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr rlim_t kMiB = rlim_t{1024} * 1024;

constexpr ResourceLimit kDefaults[] = {
    {RLIMIT_CORE, "RLIMIT_CORE", 1, 1,
     "0 is ignored when core_pattern is a pipe, and the host's handler runs. 1 means \"abort the "
     "dump\" there, and is too small for a file: core(5)."},
    {RLIMIT_NOFILE, "RLIMIT_NOFILE", 1024, 4096,
     "The usual soft limit, which select(2) relies on; a hard one that the machine does not feel."},
    {RLIMIT_NPROC, "RLIMIT_NPROC", 4096, 4096,
     "Above pids.max, so that the cgroup decides where there is one. Without, it stops a fork bomb "
     "before the host's 32768 pids are gone. Counted per uid and user namespace (Linux 5.14)."},
    {RLIMIT_STACK, "RLIMIT_STACK", 8 * kMiB, 64 * kMiB,
     "The usual stack. Unlimited would change the layout of memory, and allow 2 GiB of argv."},
    {RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 64 * kMiB, 64 * kMiB,
     "Memory that the host cannot swap out. Enough for keys and ring buffers."},
    {RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", 819'200, 819'200,
     "Kernel memory in POSIX message queues: the kernel's own default."},
    {RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING", 4096, 4096,
     "Kernel memory in queued signals; the default grows with the host's memory."},
    {RLIMIT_RTPRIO, "RLIMIT_RTPRIO", 0, 0, "No real-time priority: it starves the host."},
    {RLIMIT_NICE, "RLIMIT_NICE", 0, 0, "No nice value below 0."},
};

}  // namespace

std::span<const ResourceLimit> default_rlimits() noexcept { return kDefaults; }

void apply_rlimit(const ResourceLimit& limit) {
  rlimit value{};
  check(::getrlimit(limit.resource, &value), "getrlimit", limit.name);
  value.rlim_max = std::min(limit.hard, value.rlim_max);
  value.rlim_cur = std::min(limit.soft, value.rlim_max);
  check(::setrlimit(limit.resource, &value), "setrlimit", limit.name);
}

void apply_rlimits() {
  for (const ResourceLimit& limit : kDefaults) apply_rlimit(limit);
}

}  // namespace sandbox
