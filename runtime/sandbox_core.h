#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fs/files_context.h"
#include "isolation/sandbox_cgroup.h"
#include "proc/command_context.h"
#include "proc/command_rlimits.h"
#include "proc/control_request.h"
#include "proc/end_witness.h"
#include "proc/verdict.h"
#include "runtime/box_record.h"
#include "runtime/data_directory.h"
#include "runtime/launcher_client.h"
#include "runtime/run_directory.h"
#include "sandbox/sandbox.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// What one living sandbox is made of, on the host's side.
class SandboxCore {
 public:
  /// `root` is an O_PATH descriptor of its "/"; `launcher` starts the file agent.
  SandboxCore(BoxRecord facts, BoxConnection connection, UniqueFd root,
              std::shared_ptr<WatchHub> watches, std::optional<SandboxCgroup> own_cgroup,
              std::shared_ptr<LauncherClient> launcher);
  SandboxCore(const SandboxCore&) = delete;
  SandboxCore& operator=(const SandboxCore&) = delete;
  /// Ends an owned sandbox.
  ~SandboxCore();

  const BoxRecord record;
  std::optional<SandboxCgroup> cgroup;
  std::shared_ptr<EndWitness> witness;  ///< With a cgroup.
  std::shared_ptr<const CommandContext> commands;
  std::shared_ptr<FilesContext> files;
  const pid_t host_pid;
  UniqueFd pidfd;
  std::vector<SetupStep> steps;
  std::optional<BoxDirectory> box;  ///< Of an owned sandbox.
  std::optional<RunDirectory> run;  ///< Where a detached one is found.

  /// See Sandbox::destroy.
  void destroy();
};

/// Kills PID 1, and with it everything in its pid namespace, and waits for the end. `cgroup` is
/// that of the sandbox, if it has one. Throws Error: ETIMEDOUT.
void kill_sandbox(int pidfd, const std::optional<SandboxCgroup>& cgroup, const std::string& id);

/// For SetTtl and LaunchRequest. Throws Error: EINVAL unless it is above zero.
uint64_t ttl_in_ms(const std::optional<std::chrono::milliseconds>& ttl);

/// A sandbox at the moment when `state` was asked for; none when it did not answer.
SandboxInfo make_info(const BoxRecord& record, pid_t host_pid, const std::optional<State>& state,
                      const std::optional<SandboxCgroup>& cgroup);

/// What Sandbox::isolation() tells.
struct IsolationFacts {
  Ids requested_ids = Ids::Auto;
  Ids effective_ids = Ids::Single;
  Network network = Network::None;
  Profile profile = Profile::Default;
  Upper requested_upper = Upper::Auto;
  bool upper_in_memory = true;
  KnownLimits limits{};
  CgroupLimits cgroup_limits{};
  CommandRlimits rlimits{};
  int landlock_abi = 0;
  std::string landlock_weakness;
};
std::vector<IsolationLayer> describe_isolation(const IsolationFacts& facts);

}  // namespace sandbox
