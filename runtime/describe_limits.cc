#include "runtime/describe_limits.h"

#include <string>
#include <string_view>
#include <utility>

#include "isolation/rlimits.h"

namespace sandbox {
namespace {

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::string rate(uint64_t bytes) { return std::to_string(bytes) + " bytes/s"; }

// Words of the limits that there are, as "memory 64 MiB, pids 512".
class LimitList {
 public:
  void add(const char* name, const std::string& value) {
    text_ += (text_.empty() ? "" : ", ") + std::string(name) + ' ' + value;
  }
  std::string text() const { return text_.empty() ? "none" : text_; }

 private:
  std::string text_;
};

std::string list_cgroup_limits(const IsolationFacts& facts) {
  const CgroupLimits& limits = facts.cgroup_limits;
  LimitList list;
  if (limits.memory_max) list.add("memory", mebibytes(*limits.memory_max));
  if (limits.memory_high) list.add("memory_high", mebibytes(*limits.memory_high));
  if (facts.limits.pids != 0) list.add("pids", std::to_string(facts.limits.pids));
  if (limits.cpu_quota_us) {
    list.add("cpu", std::to_string(*limits.cpu_quota_us * 100 / kCpuPeriodUs) + " %");
  }
  if (limits.cpu_weight) list.add("cpu_weight", std::to_string(*limits.cpu_weight));
  if (limits.disk_read_rate) list.add("disk_read", rate(*limits.disk_read_rate));
  if (limits.disk_write_rate) list.add("disk_write", rate(*limits.disk_write_rate));
  return list.text();
}

rlim_t or_default(uint64_t asked, rlim_t usual) { return asked == 0 ? usual : asked; }

std::string list_rlimits(const CommandRlimits& asked) {
  LimitList list;
  for (const ResourceLimit& limit : default_rlimits()) {
    const bool files = limit.resource == RLIMIT_NOFILE;
    std::string soft = std::to_string(or_default(files ? asked.open_files : 0, limit.soft));
    const std::string hard = std::to_string(or_default(files ? asked.open_files : 0, limit.hard));
    const std::string name(limit.name.substr(std::string_view("RLIMIT_").size()));
    list.add(name.c_str(), soft == hard ? soft : soft.append("/").append(hard));
  }
  if (asked.file_bytes != 0) list.add("FSIZE", std::to_string(asked.file_bytes));
  return list.text();
}

}  // namespace

void add_limits(const IsolationFacts& facts, std::vector<IsolationLayer>& layers) {
  const std::string limits = list_cgroup_limits(facts);
  layers.push_back({"cgroup limits", limits, limits,
                    limits == "none" ? "rlimits only" : "enforced on all processes together"});
  if (facts.limits.disk_bytes != 0) {
    const std::string disk = mebibytes(facts.limits.disk_bytes);
    layers.push_back({"disk limit", disk, disk, "a tmpfs of this size, /dev/shm included"});
  } else if (facts.upper_in_memory) {
    layers.push_back(
        {"disk limit", "none", "half of the machine's memory", "the default of tmpfs"});
  }
  const std::string rlimits = list_rlimits(facts.rlimits);
  layers.push_back({"rlimits", rlimits, rlimits, "of each process; soft and hard"});
}

}  // namespace sandbox
