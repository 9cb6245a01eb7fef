#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isolation/cgroup.h"

namespace sandbox {

/// Limits in the kernel's words, checked already.
struct CgroupLimits {
  std::optional<uint64_t> memory_max = {};
  std::optional<uint64_t> memory_high = {};
  std::optional<uint64_t> pids_max = {};
  std::optional<uint64_t> cpu_quota_us = {};  ///< Of each kCpuPeriodUs.
  std::optional<uint64_t> cpu_weight = {};
  std::string disk = {};  ///< What the next two are for: `MAJOR:MINOR` of a whole block device.
  std::optional<uint64_t> disk_read_rate = {};
  std::optional<uint64_t> disk_write_rate = {};
};
inline constexpr uint64_t kCpuPeriodUs = 100'000;

/// What a cgroup has counted. Nothing where its controller or the kernel does not count it.
struct CgroupUsage {
  std::optional<uint64_t> memory_bytes;
  std::optional<uint64_t> memory_peak_bytes;  ///< From Linux 5.19 on.
  std::optional<uint64_t> pids;
  std::optional<uint64_t> disk_read_bytes;
  std::optional<uint64_t> disk_written_bytes;
  uint64_t cpu_user_us = 0;
  uint64_t cpu_system_us = 0;
  uint64_t throttled_us = 0;
  uint64_t oom_kills = 0;
  uint64_t refused_forks = 0;
};

/// The cgroup of one sandbox, with all its limits: PID 1 is born in it, and commands in the cgroup
/// `payload` below, which can be frozen and killed apart from PID 1.
///
/// The limits lie above both, and `payload` has no controllers of its own. It could have them only
/// if PID 1 lived in a child as well, and PID 1 has to be in the root of its cgroup namespace when
/// it makes that: on a system with `nsdelegate` (systemd's) it may start commands only below there.
/// Moving it afterwards takes a grace period of RCU, which is longer than all the rest of creating.
///
/// It is locked, flock(2), by who holds one of its descriptors that lead here: nobody holding the
/// lock means that the sandbox has ended and the cgroup is to be collected.
class SandboxCgroup {
 public:
  /// Makes `name` below `parent`. Throws Error, with nothing left behind.
  SandboxCgroup(const Cgroup& parent, std::string name, const CgroupLimits& limits);
  /// That of a sandbox which somebody else made and which this object does not remove.
  static SandboxCgroup open(const std::string& path);
  SandboxCgroup(SandboxCgroup&&) noexcept = default;
  SandboxCgroup& operator=(SandboxCgroup&&) = delete;
  ~SandboxCgroup();

  /// Where PID 1 is born: CLONE_INTO_CGROUP.
  int fd() const noexcept { return group_->fd(); }
  std::string path() const;

  /// For PID 1, in the order of payload_cgroup.h. Owned by the result.
  std::vector<UniqueFd> descriptors_for_init() const;

  /// memory.events, and memory.peak; what gives nothing where the kernel has no such file.
  UniqueFd open_memory_events() const;
  UniqueFd open_memory_peak() const;

  /// Stops all commands or lets them go on. See Cgroup::set_frozen.
  void set_frozen(bool frozen) const { payload_->set_frozen(frozen); }
  bool frozen() const;
  /// What is in use now; nothing where it is not counted.
  std::optional<uint64_t> memory_bytes() const;
  CgroupUsage usage() const;

  /// SIGKILL to all at once, PID 1 included. Never throws: PID 1 can be killed in other ways.
  void kill() const noexcept;
  /// After the end of PID 1. Throws Error. Twice is fine.
  void remove();
  /// From now on it outlives this object, and only PID 1 holds the lock. Throws Error.
  void release();

 private:
  SandboxCgroup(Cgroup parent, std::string name);

  std::optional<Cgroup> parent_;  // Nothing after remove() and in a moved-from object.
  std::string name_;
  std::optional<Cgroup> group_;
  std::optional<Cgroup> payload_;
  bool removes_ = false;
};

/// Removes that of a sandbox which has ended, if it has.
void remove_dead_cgroup(const std::string& path) noexcept;

/// Removes those of `parent` whose sandbox has ended.
void collect_dead_cgroups(const Cgroup& parent);

}  // namespace sandbox
