#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fs/files_context.h"
#include "proc/command_context.h"
#include "runtime/data_directory.h"
#include "sandbox/sandbox.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// What one living sandbox is made of, on the host's side.
class SandboxCore {
 public:
  std::shared_ptr<const CommandContext> commands;
  std::shared_ptr<FilesContext> files;
  std::vector<IsolationLayer> layers;
  std::vector<SetupStep> steps;
  pid_t host_pid = 0;
  UniqueFd pidfd;
  std::optional<BoxDirectory> box;

  SandboxCore() = default;
  SandboxCore(const SandboxCore&) = delete;
  SandboxCore& operator=(const SandboxCore&) = delete;
  ~SandboxCore();

  /// See Sandbox::destroy.
  void destroy();
};

/// What Sandbox::isolation() tells.
struct IsolationFacts {
  Ids requested_ids = Ids::Auto;
  Ids effective_ids = Ids::Single;
  Network network = Network::None;
  Profile profile = Profile::Default;
  Upper requested_upper = Upper::Auto;
  bool upper_in_memory = true;
  int landlock_abi = 0;
  std::string landlock_weakness;
};
std::vector<IsolationLayer> describe_isolation(const IsolationFacts& facts);

}  // namespace sandbox
