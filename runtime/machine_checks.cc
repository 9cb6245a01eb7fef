#include "runtime/machine_checks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "isolation/subordinate_ids.h"
#include "runtime/base/kernel_file.h"
#include "runtime/cgroup_ladder.h"
#include "runtime/own_cgroup.h"
#include "sandbox/error.h"
#include "templates/accounts.h"

namespace sandbox {
namespace {

using Status = Probe::Status;
using Version = std::pair<int, int>;

constexpr Version kFloor{5, 15};
constexpr Version kRecommended{6, 6};
constexpr uint32_t kRangeLength = 65535;  // With the caller's own id 65536.
constexpr long kFewWatches = 65536;

std::optional<Version> parse_version(std::string_view release) {
  Version version;
  const char* end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, version.first);
  if (major.ec != std::errc{} || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  if (minor.ec != std::errc{}) return std::nullopt;
  return version;
}

// Cuts what stands before the first `separator` off `text`.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

std::string read_or_empty(const std::string& path) try {
  return read_kernel_file(AT_FDCWD, path.c_str());
} catch (const Error&) {
  return {};
}

// Not getpwuid(3): in a static program it needs the shared libraries of NSS.
std::string name_of_caller() {
  const Accounts accounts(read_or_empty("/etc/passwd"), {});
  for (const Account& account : accounts.all()) {
    if (account.uid == ::geteuid()) return account.name;
  }
  return std::to_string(::geteuid());
}

bool has_range(const char* file, const std::string& owner) {
  return find_subordinate_range(read_or_empty(file), owner, ::geteuid(), kRangeLength).has_value();
}

// True when `program` exists and may write foreign maps: set-uid root or with CAP_SETUID.
bool is_privileged(const std::string& program) {
  struct stat info {};
  if (::stat(program.c_str(), &info) != 0) return false;
  return (info.st_mode & S_ISUID) != 0 ||
         ::getxattr(program.c_str(), "security.capability", nullptr, 0) > 0;
}

std::string missing_map_helper() {
  for (const char* name : {"newuidmap", "newgidmap"}) {
    bool found = false;
    for (const char* directory : {"/usr/bin/", "/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
      found = found || is_privileged(std::string(directory) + name);
    }
    if (!found) return name;
  }
  return {};
}

std::string missing_controllers(std::string_view present) {
  std::string missing;
  for (const std::string_view wanted : {"cpu", "memory", "pids"}) {
    bool found = false;
    for (std::string_view rest = present; !rest.empty();) {
      std::string_view line = take_until(rest, '\n');
      while (!line.empty()) found = take_until(line, ' ') == wanted || found;
    }
    if (!found) missing += (missing.empty() ? "" : ", ") + std::string(wanted);
  }
  return missing;
}

bool is_writable(const std::string& cgroup) {
  return ::access((cgroup + "/cgroup.procs").c_str(), W_OK) == 0 &&
         ::access(cgroup.c_str(), W_OK) == 0;
}

// The cgroup in which the caller's systemd makes scopes; empty when there is none to ask. The
// user's own is there from the first login on.
std::string cgroup_of_systemd(const std::string& root, const std::string& run) {
  if (::geteuid() == 0) {
    const bool runs = ::access((run + "/systemd/system").c_str(), F_OK) == 0;
    return runs ? root + "/system.slice" : std::string();
  }
  const std::string uid = std::to_string(::geteuid());
  const bool runs = ::access((run + "/user/" + uid + "/systemd/private").c_str(), F_OK) == 0;
  return runs ? root + "/user.slice/user-" + uid + ".slice/user@" + uid + ".service"
              : std::string();
}

}  // namespace

Probe check_kernel(std::string_view release) {
  Probe probe{.name = "kernel", .found = "Linux " + std::string(release), .remedy = {}};
  const auto version = parse_version(release);
  if (!version || *version < kFloor) {
    probe.status = Status::Failed;
    probe.remedy = "Linux 5.15 or later is needed; 6.12 is best";
  } else if (*version < kRecommended) {
    probe.status = Status::Warning;
    probe.remedy = "from Linux 6.6 on a sandbox keeps its changes in memory; 6.12 is best";
  }
  return probe;
}

Probe check_namespace_limits(const Sysctls& sysctls) {
  Probe probe{.name = "namespace limits", .found = "", .remedy = {}};
  for (const char* kind : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    const std::string name = std::string("user.max_") + kind + "_namespaces";
    const auto value = sysctls.get(name);
    if (!value) continue;
    probe.found +=
        (probe.found.empty() ? "" : ", ") + std::string(kind) + " " + std::to_string(*value);
    if (*value > 0) continue;
    probe.status = Status::Failed;
    probe.remedy = "sudo sysctl -w " + name + "=15000";
  }
  return probe;
}

Probe check_subordinate_ids() {
  Probe probe{.name = "subordinate ids",
              .required = false,
              .found = "65536 ids and newuidmap",
              .remedy = {}};
  if (::geteuid() == 0) {
    probe.found = "root needs none";
    return probe;
  }
  const std::string owner = name_of_caller();
  if (const std::string helper = missing_map_helper(); !helper.empty()) {
    probe.status = Status::Warning;
    probe.found = helper + " is missing, or neither set-uid nor with file capabilities";
    probe.remedy =
        "only for several users in one sandbox (--ids range): install uidmap "
        "(Fedora: shadow-utils)";
  } else if (!has_range("/etc/subuid", owner) || !has_range("/etc/subgid", owner)) {
    probe.status = Status::Warning;
    probe.found = "no range for " + owner + " in /etc/subuid and /etc/subgid";
    probe.remedy =
        "only for several users in one sandbox (--ids range): sudo usermod "
        "--add-subuids 100000-165535 --add-subgids 100000-165535 " +
        owner;
  }
  return probe;
}

Probe check_cgroups(std::string_view self, const std::string& root, const std::string& run) {
  const OwnCgroup own = OwnCgroup::parse(self);
  Probe probe{.name = "cgroup v2", .required = false, .found = "", .remedy = {}};
  if (own.path.empty() || own.version_1) {
    probe.status = Status::Warning;
    probe.found = own.path.empty() ? "only version 1" : "hybrid: the controllers are in version 1";
    probe.remedy =
        "limits of memory, cpu and processes need version 2: boot with "
        "systemd.unified_cgroup_hierarchy=1";
    return probe;
  }
  // Ours, or the one above if we were started in a leaf: cgroup_ladder.h.
  const std::string above = own.path.substr(0, own.path.rfind('/'));
  const bool in_leaf = !above.ends_with(".slice") && !above.empty() && is_writable(root + above);
  std::string directory = root + (in_leaf ? above : own.path);
  bool usable = is_writable(directory);
  probe.found = usable ? "delegated to us" : "not delegated to us";
  if (const std::string systemd = cgroup_of_systemd(root, run); !usable && !systemd.empty()) {
    probe.found = "systemd will be asked for a scope";
    directory = systemd;
    usable = true;
  }
  const std::string missing = missing_controllers(read_or_empty(directory + "/cgroup.controllers"));
  if (!missing.empty()) probe.found += ", without " + missing;
  if (usable && missing.empty()) return probe;
  probe.status = Status::Warning;
  probe.remedy = missing.empty()
                     ? "limits of memory, cpu and processes need a delegated cgroup: start from "
                       "'systemd-run --user --scope -p Delegate=yes'"
                     : delegation_remedy(missing);
  return probe;
}

Probe check_inotify(const Sysctls& sysctls) {
  const long instances = sysctls.get("fs.inotify.max_user_instances").value_or(0);
  const long watches = sysctls.get("fs.inotify.max_user_watches").value_or(0);
  Probe probe{.name = "inotify", .required = false, .found = "", .remedy = {}};
  probe.found = std::to_string(instances) + " instances, " + std::to_string(watches) + " watches";
  if (watches >= kFewWatches && instances > 0) return probe;
  probe.status = Status::Warning;
  probe.remedy = "few for watching large trees: sudo sysctl -w fs.inotify.max_user_watches=524288";
  return probe;
}

Probe check_core_pattern(std::string_view pattern) {
  while (pattern.ends_with('\n')) pattern.remove_suffix(1);
  const bool piped = pattern.starts_with('|');
  return {.name = "core dumps",
          .status = Status::Ok,
          .required = false,
          .found = piped ? "go to a program of the host; sandboxes dump nothing"
                         : "are files; sandboxes dump nothing",
          .remedy = ""};
}

}  // namespace sandbox
