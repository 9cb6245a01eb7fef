// Sandbox::pause, resume and stats: what the host does with the cgroup of a sandbox.

#include <sys/vfs.h>

#include <cerrno>

#include "fs/files_context.h"
#include "proc/control_call.h"
#include "runtime/sandbox_core.h"
#include "sandbox/error.h"
#include "sandbox/sandbox.h"

namespace sandbox {
namespace {

const SandboxCgroup& require_cgroup(const SandboxCore& core, const char* call) {
  if (!core.pidfd) throw Error(ESRCH, call, "sandbox", "it has been destroyed");
  if (core.cgroup) return *core.cgroup;
  throw Error(EOPNOTSUPP, call, "sandbox",
              "it has no cgroup: create it with a limit or with Limits::own_cgroup");
}

uint64_t without_init(uint64_t pids) { return pids == 0 ? 0 : pids - 1; }

void add_cgroup(const SandboxCgroup& cgroup, SandboxStats& stats) {
  const CgroupUsage usage = cgroup.usage();
  stats.paused = cgroup.frozen();
  stats.memory_bytes = usage.memory_bytes;
  stats.memory_peak_bytes = usage.memory_peak_bytes;
  if (usage.pids) stats.pids = without_init(*usage.pids);
  stats.cpu_user = std::chrono::microseconds(usage.cpu_user_us);
  stats.cpu_system = std::chrono::microseconds(usage.cpu_system_us);
  stats.cpu_throttled = std::chrono::microseconds(usage.throttled_us);
  stats.disk_read_bytes = usage.disk_read_bytes;
  stats.disk_written_bytes = usage.disk_written_bytes;
  stats.oom_kills = usage.oom_kills;
  stats.refused_forks = usage.refused_forks;
}

void add_disk(int root, SandboxStats& stats) {
  struct statfs disk {};
  check(::fstatfs(root, &disk), "fstatfs", "/");
  stats.disk_bytes = (disk.f_blocks - disk.f_bfree) * static_cast<uint64_t>(disk.f_bsize);
}

std::optional<uint64_t> if_set(uint64_t limit) {
  return limit == 0 ? std::nullopt : std::optional(limit);
}

}  // namespace

void Sandbox::pause() { require_cgroup(*core_, "pause").set_frozen(true); }

// The time first: were it the other way round, a failure in between would leave it without any.
void Sandbox::resume() {
  const SandboxCgroup& cgroup = require_cgroup(*core_, "resume");
  if (core_->record.ttl_action == TtlAction::Pause) {
    ControlCall(core_->commands->control, RenewTtl{}).wait(kInitPatience);
  }
  cgroup.set_frozen(false);
}

SandboxStats Sandbox::stats() const {
  if (!core_->pidfd) throw Error(ESRCH, "stats", "sandbox", "it has been destroyed");
  SandboxStats stats;
  if (core_->cgroup) add_cgroup(*core_->cgroup, stats);
  const KnownLimits& limits = core_->record.limits;
  stats.memory_limit_bytes = if_set(limits.memory_bytes);
  stats.pids_limit = if_set(limits.pids);
  stats.disk_limit_bytes = if_set(limits.disk_bytes);
  if (stats.disk_limit_bytes) {
    const auto root = core_->files->root();
    add_disk(root->resolve("/", Symlinks::NoFollow).fd.get(), stats);
  }
  return stats;
}

}  // namespace sandbox
