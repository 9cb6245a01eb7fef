#pragma once

#include <memory>
#include <string>

#include "runtime/sandbox_core.h"
#include "templates/layer_listing.h"

namespace sandbox {

/// The sandbox of one build step, and the directory with its changes after it has ended.
///
/// With a range of ids that directory has files of subordinate ids, which only a process in the
/// sandbox's user namespace may touch: a FileAgent, which keeps the namespace when the sandbox is
/// gone. Whatever happens, nothing of it is left at the end of this object's life.
class StepBox {
 public:
  /// `core` has a directory of its own.
  StepBox(std::shared_ptr<SandboxCore> core, const std::shared_ptr<LauncherClient>& launcher);
  StepBox(const StepBox&) = delete;
  StepBox& operator=(const StepBox&) = delete;
  ~StepBox();

  SandboxCore& core() const noexcept { return *core_; }

  /// Ends the sandbox and gives all that it has written to the caller. Returns the owners and
  /// modes of what belonged to others than root and the sandbox's user. Throws Error.
  RecordedStatuses finish();

  /// After finish(): the directory of the changes.
  std::string upper() const { return box_->path() + "/upper"; }

 private:
  RecordedStatuses take_over_all() const;

  std::shared_ptr<SandboxCore> core_;
  FileOwner user_;
  std::optional<BoxDirectory> box_;
};

}  // namespace sandbox
