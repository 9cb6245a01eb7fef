#include "runtime/limit_plan.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>

#include "isolation/cgroup_counter.h"
#include "runtime/block_device.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kLargest = int64_t{1} << 50;  // A pebibyte: more is a mistake.
// PID 1 and its sockets take about one; a program has to start in the rest.
constexpr int64_t kSmallestMemory = 4 * kMiB;
constexpr int64_t kSmallestDisk = kMiB;
constexpr int64_t kMostPids = 4'194'304;  // PID_MAX_LIMIT of the kernel.
constexpr uint64_t kInit = 1;
constexpr double kFewestCpus = 0.01;  // The kernel wants a millisecond of each period.
constexpr double kMostCpus = 1024;
// What the kernel's own tmpfs has per inode when it is not told.
constexpr uint64_t kBytesPerInode = 4096;

struct Range {
  int64_t least;
  int64_t most;
  const char* text;
};

[[noreturn]] void refuse(const std::string& subject, const std::string& range) {
  throw Error(EINVAL, "limit", subject, "it must be " + range);
}

uint64_t require(const char* name, int64_t value, const Range& range) {
  if (value < range.least || value > range.most) {
    refuse(std::string(name) + ' ' + std::to_string(value), range.text);
  }
  return static_cast<uint64_t>(value);
}

uint64_t cpu_quota(double cpus) {
  // Not a number is in no range.
  if (!(cpus >= kFewestCpus && cpus <= kMostCpus)) {
    refuse("cpus " + std::to_string(cpus), "between 0.01 and 1024 processors");
  }
  return static_cast<uint64_t>(std::llround(cpus * static_cast<double>(kCpuPeriodUs)));
}

void plan_memory(const Limits& limits, LimitPlan& plan) {
  constexpr Range kMemory{kSmallestMemory, kLargest, "between 4 MiB and 1 PiB"};
  if (limits.memory_bytes)
    plan.cgroup.memory_max = require("memory", *limits.memory_bytes, kMemory);
  if (limits.memory_high_bytes) {
    plan.cgroup.memory_high = require("memory_high", *limits.memory_high_bytes, kMemory);
    if (plan.cgroup.memory_max && *plan.cgroup.memory_high > *plan.cgroup.memory_max) {
      refuse("memory_high " + std::to_string(*plan.cgroup.memory_high), "below the memory limit");
    }
  }
  if (limits.memory_bytes || limits.memory_high_bytes) plan.controllers.emplace_back("memory");
  plan.known.memory_bytes = plan.cgroup.memory_max.value_or(0);
}

void plan_pids(const Limits& limits, LimitPlan& plan) {
  constexpr Range kPids{1, kMostPids, "between 1 and 4194304 processes"};
  if (!limits.pids) return;
  plan.known.pids = require("pids", *limits.pids, kPids);
  plan.cgroup.pids_max = plan.known.pids + kInit;
  plan.controllers.emplace_back("pids");
}

void plan_cpu(const Limits& limits, LimitPlan& plan) {
  constexpr Range kWeight{1, 10'000, "between 1 and 10000"};
  if (limits.cpus) plan.cgroup.cpu_quota_us = cpu_quota(*limits.cpus);
  if (limits.cpu_weight)
    plan.cgroup.cpu_weight = require("cpu_weight", *limits.cpu_weight, kWeight);
  if (limits.cpus || limits.cpu_weight) plan.controllers.emplace_back("cpu");
}

void plan_disk_rates(const Limits& limits, const std::string& box_directory, LimitPlan& plan) {
  constexpr Range kRate{4096, kLargest, "between 4096 bytes and 1 PiB a second"};
  if (!limits.disk_read_rate && !limits.disk_write_rate) return;
  if (limits.disk_read_rate) {
    plan.cgroup.disk_read_rate = require("disk_read_rate", *limits.disk_read_rate, kRate);
  }
  if (limits.disk_write_rate) {
    plan.cgroup.disk_write_rate = require("disk_write_rate", *limits.disk_write_rate, kRate);
  }
  if (box_directory.empty()) {
    throw Error(EOPNOTSUPP, "limit", "disk rate",
                "changes are kept in memory, with no disk in between: Upper::Directory");
  }
  plan.cgroup.disk = block_device_of(box_directory);
  plan.controllers.emplace_back("io");
}

uint64_t disk_bytes(const Limits& limits, bool changes_in_memory) {
  constexpr Range kDisk{kSmallestDisk, kLargest, "between 1 MiB and 1 PiB"};
  const uint64_t bytes = require("disk", *limits.disk_bytes, kDisk);
  if (changes_in_memory) return bytes;
  throw Error(EOPNOTSUPP, "limit", "disk",
              "a user has no quota on a directory; the limit holds for changes in memory "
              "(Upper::Memory), which takes Linux 6.6");
}

void plan_disk(const Limits& limits, bool changes_in_memory, LimitPlan& plan) {
  if (limits.disk_bytes) {
    plan.scratch.bytes = disk_bytes(limits, changes_in_memory);
  } else if (limits.memory_bytes) {
    // Files in memory, be it in /dev/shm alone, stay when the processes that wrote them are killed,
    // and leave no memory to start another.
    plan.scratch.bytes = *plan.cgroup.memory_max / 4 * 3;
  }
  plan.scratch.inodes = plan.scratch.bytes / kBytesPerInode;
  if (changes_in_memory) plan.known.disk_bytes = plan.scratch.bytes;
}

void plan_rlimits(const Limits& limits, LimitPlan& plan) {
  constexpr Range kFiles{16, 4096, "between 16 and 4096"};
  constexpr Range kFileBytes{1, kLargest, "between 1 byte and 1 PiB"};
  if (limits.open_files)
    plan.rlimits.open_files = require("open_files", *limits.open_files, kFiles);
  if (limits.file_bytes) {
    plan.rlimits.file_bytes = require("file_bytes", *limits.file_bytes, kFileBytes);
  }
}

// The first number of a file such as memory.max or cpu.max; nothing for "max".
std::optional<uint64_t> first_number(const Cgroup& group, const char* file) {
  if (!group.has(file)) return std::nullopt;
  const std::string text = group.read(file);
  uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

// Of the line of `disk` in io.max, as "8:0 rbps=1048576 wbps=max riops=max wiops=max".
std::optional<uint64_t> disk_rate_of(const Cgroup& group, const std::string& disk,
                                     const char* key) {
  if (disk.empty() || !group.has("io.max")) return std::nullopt;
  std::istringstream lines(group.read("io.max"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(disk + ' ')) continue;
    const uint64_t rate = sum_of(line, key);
    return rate == 0 ? std::nullopt : std::optional(rate);
  }
  return std::nullopt;
}

// Of a period of ours, whatever that of `group` is.
std::optional<uint64_t> cpu_quota_of(const Cgroup& group) {
  const std::optional<uint64_t> quota = first_number(group, "cpu.max");
  if (!quota) return std::nullopt;
  const std::string text = group.read("cpu.max");
  return *quota * kCpuPeriodUs / std::stoull(text.substr(text.find(' ') + 1));
}

void require_at_most(const char* what, std::optional<uint64_t> asked,
                     std::optional<uint64_t> allowed, const char* unit) {
  if (!asked || !allowed || *asked <= *allowed) return;
  throw Error(EINVAL, "limit", what + (' ' + std::to_string(*asked)),
              "the cgroups around allow only " + std::to_string(*allowed) + unit);
}

}  // namespace

LimitPlan plan_limits(const Limits& limits, const std::string& box_directory) {
  LimitPlan plan;
  plan_memory(limits, plan);
  plan_pids(limits, plan);
  plan_cpu(limits, plan);
  plan_rlimits(limits, plan);
  plan_disk(limits, box_directory.empty(), plan);
  plan_disk_rates(limits, box_directory, plan);
  plan.needs_cgroup = !plan.controllers.empty() || limits.own_cgroup;
  return plan;
}

void require_room(const CgroupLimits& limits, const Cgroup& above) {
  for (std::optional<Cgroup> at = above.child("."); at; at = at->parent()) {
    require_at_most("memory", limits.memory_max, first_number(*at, "memory.max"), " bytes");
    require_at_most("pids", limits.pids_max, first_number(*at, "pids.max"), ", PID 1 included");
    require_at_most("cpu", limits.cpu_quota_us, cpu_quota_of(*at), " us of each 100 ms");
    require_at_most("disk_read_rate", limits.disk_read_rate, disk_rate_of(*at, limits.disk, "rbps"),
                    " bytes a second");
    require_at_most("disk_write_rate", limits.disk_write_rate,
                    disk_rate_of(*at, limits.disk, "wbps"), " bytes a second");
  }
}

}  // namespace sandbox
