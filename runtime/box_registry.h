#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fs/watch_hub.h"
#include "runtime/launcher_client.h"
#include "runtime/run_directory.h"
#include "runtime/sandbox_core.h"
#include "sandbox/sandbox_info.h"

namespace sandbox {

/// The detached sandboxes of a user, as one Runtime finds, lists and ends them. What each function
/// does, and its errors, stand in sandbox/runtime.h.
class BoxRegistry {
 public:
  /// `launcher` and `watches` are for those that are attached to.
  BoxRegistry(RunDirectory run, std::shared_ptr<LauncherClient> launcher,
              std::shared_ptr<WatchHub> watches)
      : run_(std::move(run)), launcher_(std::move(launcher)), watches_(std::move(watches)) {}

  const RunDirectory& run() const noexcept { return run_; }

  std::shared_ptr<SandboxCore> attach(const std::string& id_or_name) const;
  std::vector<SandboxInfo> list() const;
  void destroy(const std::string& id_or_name) const;
  std::vector<std::string> collect() const { return run_.collect(); }

 private:
  RunDirectory run_;
  std::shared_ptr<LauncherClient> launcher_;
  std::shared_ptr<WatchHub> watches_;
};

}  // namespace sandbox
