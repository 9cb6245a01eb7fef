#include "isolation/sandbox_cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <utility>

#include "isolation/cgroup_counter.h"
#include "runtime/base/duplicate_fd.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr const char* kPayload = "payload";
constexpr std::string_view kPrefix = "sbx-";

// A description of its own: the lock belongs to that, and threads share the one of the directory.
UniqueFd reopen(const Cgroup& group) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  return UniqueFd(check(::openat(group.fd(), ".", flags), "openat", "cgroup"));
}

void write_optional(const Cgroup& group, const char* file, const std::optional<uint64_t>& value) {
  if (value) group.write(file, std::to_string(*value));
}

void write_disk_rates(const Cgroup& group, const CgroupLimits& limits) {
  std::string line = limits.disk;
  if (limits.disk_read_rate) line += " rbps=" + std::to_string(*limits.disk_read_rate);
  if (limits.disk_write_rate) line += " wbps=" + std::to_string(*limits.disk_write_rate);
  if (line != limits.disk) group.write("io.max", line);
}

void write_limits(const Cgroup& group, const CgroupLimits& limits) {
  write_optional(group, "memory.high", limits.memory_high);
  write_optional(group, "memory.max", limits.memory_max);
  // Or the limit is that of memory and as much swap as there is. Not on kernels without swap.
  if (limits.memory_max && group.has("memory.swap.max")) group.write("memory.swap.max", "0");
  write_optional(group, "pids.max", limits.pids_max);
  write_optional(group, "cpu.weight", limits.cpu_weight);
  if (limits.cpu_quota_us) {
    group.write("cpu.max",
                std::to_string(*limits.cpu_quota_us) + ' ' + std::to_string(kCpuPeriodUs));
  }
  write_disk_rates(group, limits);
}

// PID 1 has an id that we may have no means to give a file to, and its right to start processes in
// `payload` is judged by this file, here and there. No other process of the machine gets in: it
// would need the same right in the cgroup that holds both its own and this one.
void let_init_start_processes(const Cgroup& group) {
  check(::fchmodat(group.fd(), "cgroup.procs", 0666, 0), "fchmodat", "cgroup.procs");
}

// A descriptor that gives nothing where the kernel has no such file.
UniqueFd open_counter(const Cgroup& group, const char* file) {
  UniqueFd counter{::openat(group.fd(), file, O_RDONLY | O_CLOEXEC)};
  return counter ? std::move(counter) : duplicate(group.fd(), "cgroup");
}

UniqueFd open_switch(const Cgroup& group, const char* file) {
  return UniqueFd(check(::openat(group.fd(), file, O_RDWR | O_CLOEXEC), "openat", file));
}

std::vector<std::string> sandboxes_in(const Cgroup& parent) {
  UniqueFd directory = reopen(parent);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(directory.get()), ::closedir);
  if (!entries) throw Error(errno, "fdopendir", "cgroup");
  static_cast<void>(directory.release());
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name.starts_with(kPrefix)) names.emplace_back(name);
  }
  return names;
}

void remove_with_payload(const Cgroup& parent, const std::string& name, const Cgroup& group) {
  remove_cgroup(group, kPayload);
  remove_cgroup(parent, name);
}

}  // namespace

SandboxCgroup::SandboxCgroup(Cgroup parent, std::string name)
    : parent_(std::move(parent)), name_(std::move(name)) {}

SandboxCgroup::SandboxCgroup(const Cgroup& parent, std::string name, const CgroupLimits& limits)
    : SandboxCgroup(Cgroup(duplicate(parent.fd(), "cgroup")),
                    std::string(kPrefix) + std::move(name)) {
  // Shared with other creators; a collector, who wants it alone, meets none that is not locked yet.
  const UniqueFd creating = reopen(parent);
  check(::flock(creating.get(), LOCK_SH), "flock", "cgroup");
  group_.emplace(parent_->make(name_));
  removes_ = true;
  check(::flock(group_->fd(), LOCK_EX | LOCK_NB), "flock", name_);
  write_limits(*group_, limits);
  payload_.emplace(group_->make(kPayload));
  let_init_start_processes(*group_);
  let_init_start_processes(*payload_);
  group_->write("cgroup.max.descendants", "1");
}

SandboxCgroup SandboxCgroup::open(const std::string& path) {
  Cgroup group = Cgroup::open(path);
  std::optional<Cgroup> parent = group.parent();
  if (!parent) throw Error(ENOENT, "open", path);
  SandboxCgroup opened(std::move(*parent), path.substr(path.rfind('/') + 1));
  opened.payload_.emplace(group.child(kPayload));
  opened.group_.emplace(std::move(group));
  return opened;
}

SandboxCgroup::~SandboxCgroup() {
  if (!parent_ || !removes_) return;
  kill();
  try {
    remove();
  } catch (const Error&) {
    // What is left is unlocked now, and the next one to make sandboxes collects it.
  }
}

std::string SandboxCgroup::path() const {
  std::string path(PATH_MAX, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(fd());
  const ssize_t size = check(::readlink(link.c_str(), path.data(), path.size()), "readlink", link);
  path.resize(static_cast<std::size_t>(size));
  return path;
}

std::vector<UniqueFd> SandboxCgroup::descriptors_for_init() const {
  std::vector<UniqueFd> fds;
  fds.push_back(duplicate(group_->fd(), "cgroup"));  // The same description, and so the lock.
  fds.push_back(duplicate(payload_->fd(), "cgroup"));
  fds.push_back(open_memory_events());
  fds.push_back(open_memory_peak());
  fds.push_back(open_counter(*group_, "pids.events"));
  fds.push_back(open_counter(*group_, "pids.peak"));
  fds.push_back(open_switch(*payload_, "cgroup.freeze"));
  return fds;
}

UniqueFd SandboxCgroup::open_memory_events() const {
  return open_counter(*group_, "memory.events");
}

UniqueFd SandboxCgroup::open_memory_peak() const { return open_counter(*group_, "memory.peak"); }

bool SandboxCgroup::frozen() const { return payload_->number("cgroup.freeze") == 1; }

std::optional<uint64_t> SandboxCgroup::memory_bytes() const {
  return group_->number("memory.current");
}

CgroupUsage SandboxCgroup::usage() const {
  CgroupUsage usage;
  usage.memory_bytes = memory_bytes();
  usage.memory_peak_bytes = group_->number("memory.peak");
  usage.pids = group_->number("pids.current");
  usage.cpu_user_us = group_->counter("cpu.stat", "user_usec");
  usage.cpu_system_us = group_->counter("cpu.stat", "system_usec");
  usage.throttled_us = group_->counter("cpu.stat", "throttled_usec");
  if (usage.memory_bytes) usage.oom_kills = group_->counter("memory.events", "oom_kill");
  if (group_->has("io.stat")) {
    const std::string disks = group_->read("io.stat");
    usage.disk_read_bytes = sum_of(disks, "rbytes");
    usage.disk_written_bytes = sum_of(disks, "wbytes");
  }
  if (usage.pids) usage.refused_forks = group_->counter("pids.events", "max");
  return usage;
}

void SandboxCgroup::kill() const noexcept {
  try {
    if (group_) group_->kill();
  } catch (const Error&) {
    // Removed by another, so it is empty.
  }
}

void SandboxCgroup::remove() {
  if (!parent_) return;
  const Cgroup parent = std::move(*parent_);
  parent_.reset();
  if (payload_) {
    remove_with_payload(parent, name_, *group_);
  } else if (group_) {
    remove_cgroup(parent, name_);
  }
}

void SandboxCgroup::release() {
  group_.emplace(reopen(*group_));
  removes_ = false;
}

void remove_dead_cgroup(const std::string& path) noexcept {
  try {
    const Cgroup group = Cgroup::open(path);
    const std::optional<Cgroup> parent = group.parent();
    if (!parent || ::flock(group.fd(), LOCK_EX | LOCK_NB) != 0) return;
    group.kill();
    remove_with_payload(*parent, path.substr(path.rfind('/') + 1), group);
  } catch (const Error&) {
    // Removed by another, or a process in it does not die.
  }
}

void collect_dead_cgroups(const Cgroup& parent) {
  const UniqueFd collecting = reopen(parent);
  if (::flock(collecting.get(), LOCK_EX | LOCK_NB) != 0) return;  // Somebody creates: another time.
  for (const std::string& name : sandboxes_in(parent)) {
    try {
      const Cgroup group = parent.child(name);
      if (::flock(group.fd(), LOCK_EX | LOCK_NB) != 0) continue;
      group.kill();
      remove_with_payload(parent, name, group);
    } catch (const Error&) {
      // Its owner is removing it now, or it does not die: it must not keep us from new ones.
    }
  }
}

}  // namespace sandbox
