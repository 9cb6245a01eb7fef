#include "proc/verdict.h"

#include <sys/vfs.h>

#include <csignal>

namespace sandbox {
namespace {

constexpr int kSignalBase = 128;

// As a shell gives it: a shell that waited for a killed command exits with it, too.
int exit_code_of(const Outcome& plain) {
  if (const auto* exited = std::get_if<Exited>(&plain)) return exited->code;
  if (const auto* signaled = std::get_if<Signaled>(&plain)) return kSignalBase + signaled->signal;
  return 0;
}

bool is_disk_full() noexcept {
  struct statfs root {};
  return ::statfs("/", &root) == 0 && (root.f_bavail == 0 || root.f_ffree == 0);
}

}  // namespace

Evidence Evidence::now(const PayloadCgroup& cgroup, const KnownLimits& limits) noexcept {
  Evidence evidence;
  if (cgroup.exists()) {
    evidence.oom_kills = cgroup.oom_kills();
    evidence.refused_forks = cgroup.refused_forks();
    evidence.peak_memory_bytes = cgroup.peak_memory_bytes();
    evidence.peak_pids = cgroup.peak_pids();
  }
  if (limits.disk_bytes != 0) evidence.disk_full = is_disk_full();
  return evidence;
}

void add_to(Usage& usage, const Evidence& before, const Evidence& after) noexcept {
  usage.sandbox_peak_memory_bytes = after.peak_memory_bytes;
  usage.sandbox_peak_pids = after.peak_pids;
  usage.oom_kills = after.oom_kills - before.oom_kills;
  usage.refused_forks = after.refused_forks - before.refused_forks;
}

Outcome judge(const Outcome& plain, const KnownLimits& limits, const Evidence& before,
              const Evidence& after) {
  const int code = exit_code_of(plain);
  if (code == 0) return plain;
  // The kernel counts before it kills, so the count cannot be late: oom_kill.c.
  if (code == kSignalBase + SIGKILL && after.oom_kills > before.oom_kills) {
    return OutOfMemory{.limit_bytes = limits.memory_bytes, .peak_bytes = after.peak_memory_bytes};
  }
  const uint64_t refused = after.refused_forks - before.refused_forks;
  if (limits.pids != 0 && refused > 0) {
    return PidLimit{.limit = limits.pids, .refused = refused, .exit_code = code};
  }
  if (after.disk_full) return DiskLimit{.limit_bytes = limits.disk_bytes, .exit_code = code};
  return plain;
}

}  // namespace sandbox
