#include "sandbox/doctor.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "runtime/base/kernel_file.h"
#include "runtime/base/sealed_memfd.h"
#include "runtime/data_directory.h"
#include "runtime/host_identity.h"
#include "runtime/init_image.h"
#include "runtime/machine_checks.h"
#include "runtime/probe_runner.h"
#include "runtime/remedies.h"
#include "runtime/sysctls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

using Status = Probe::Status;

enum class Need { Required, Useful };

// What `result` says about `name`; a failure is one only where sandboxes cannot do without.
Probe judge(const char* name, Need need, const ProbeResult& result, std::string remedy) {
  Probe probe{.name = name, .required = need == Need::Required, .found = result.text, .remedy = {}};
  if (result.error == 0) return probe;
  probe.status = probe.required ? Status::Failed : Status::Warning;
  probe.remedy = std::move(remedy);
  return probe;
}

Probe probe_user_namespace(const ProbeRunner& runner, const Sysctls& sysctls) {
  const ProbeResult result = runner.run("user-namespace");
  return judge("user namespace", Need::Required, result,
               user_namespace_remedy(result.error, sysctls));
}

Probe probe_proc(const ProbeRunner& runner) {
  const ProbeResult result = runner.run("proc");
  return judge("fresh /proc", Need::Required, result, proc_remedy(result.error));
}

Probe probe_network(const ProbeRunner& runner, const Sysctls& sysctls) {
  const ProbeResult result = runner.run("network-namespace");
  return judge("network namespace", Need::Required, result,
               network_namespace_remedy(result.error, sysctls));
}

// The nearest directory that exists: doctor makes none.
std::string existing_part(std::filesystem::path directory) {
  std::error_code error;
  while (!std::filesystem::is_directory(directory, error) && directory.has_relative_path()) {
    directory = directory.parent_path();
  }
  return directory;
}

// One of the two must work; memory is preferred.
void probe_overlays(const ProbeRunner& runner, const std::string& directory,
                    std::vector<Probe>& probes) {
  const ProbeResult memory = runner.run("overlay-in-memory");
  const ProbeResult disk = runner.run("overlay-in-directory", existing_part(directory));
  probes.push_back(judge("overlay in memory", disk.error == 0 ? Need::Useful : Need::Required,
                         memory,
                         "Linux 6.6 or later with overlayfs; until then changes are kept "
                         "in a directory"));
  probes.push_back(judge("overlay in a directory",
                         memory.error == 0 ? Need::Useful : Need::Required, disk,
                         "put the data directory on ext4, xfs or btrfs: SANDBOX_HOME=DIR"));
}

Probe probe_landlock(const ProbeRunner& runner) {
  return judge("Landlock", Need::Useful, runner.run("landlock"),
               "a second wall around files, from Linux 5.13 on: add landlock to the kernel's "
               "lsm= parameter");
}

// Without this nothing else can be tried: the program runs from a memfd.
Probe memfd_refused(const Error& error, const Sysctls& sysctls) {
  const bool forbidden = sysctls.get("vm.memfd_noexec").value_or(0) == 2;
  return {.name = "executable memfd",
          .status = Status::Failed,
          .required = true,
          .found = error.what(),
          .remedy = forbidden ? "sudo sysctl -w vm.memfd_noexec=1" : error.hint()};
}

void try_layers(const RuntimeOptions& options, const Sysctls& sysctls, std::vector<Probe>& probes) {
  const UniqueFd program = make_sealed_memfd("sandbox-init", init_image(), Executable::Yes);
  const ProbeRunner runner(program.get());
  probes.push_back(judge("seccomp", Need::Required, runner.run("seccomp"),
                         "a kernel built with CONFIG_SECCOMP_FILTER is needed"));
  probes.push_back(probe_landlock(runner));
  probes.push_back(judge("system calls", Need::Required, runner.run("system-calls"),
                         "Linux 5.15, and no seccomp filter of a container that hides them"));
  probes.push_back(probe_user_namespace(runner, sysctls));
  if (probes.back().status == Status::Failed) return;  // All that follows happens in one.
  probes.push_back(judge("mount API", Need::Required, runner.run("mount-api"),
                         user_namespace_remedy(EPERM, sysctls)));
  probes.push_back(probe_proc(runner));
  probe_overlays(runner, DataDirectory::locate(options.data_directory, HostIdentity::of_caller()),
                 probes);
  probes.push_back(probe_network(runner, sysctls));
}

std::string core_pattern() try {
  return read_kernel_file(AT_FDCWD, "/proc/sys/kernel/core_pattern");
} catch (const Error&) {
  return {};
}

std::string own_cgroups() try {
  return read_kernel_file(AT_FDCWD, "/proc/self/cgroup");
} catch (const Error&) {
  return {};
}

}  // namespace

std::vector<Probe> diagnose(const RuntimeOptions& options) {
  const Sysctls sysctls;
  utsname name{};
  ::uname(&name);
  std::vector<Probe> probes{check_kernel(name.release), check_namespace_limits(sysctls)};
  try {
    try_layers(options, sysctls, probes);
  } catch (const Error& error) {
    probes.push_back(memfd_refused(error, sysctls));
  }
  probes.push_back(check_subordinate_ids());
  probes.push_back(check_cgroups(own_cgroups(), "/sys/fs/cgroup", "/run"));
  probes.push_back(check_inotify(sysctls));
  probes.push_back(check_core_pattern(core_pattern()));
  return probes;
}

bool can_run(const std::vector<Probe>& probes) {
  return std::none_of(probes.begin(), probes.end(),
                      [](const Probe& p) { return p.required && p.status == Status::Failed; });
}

}  // namespace sandbox
