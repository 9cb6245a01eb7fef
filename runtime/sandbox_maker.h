#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fs/watch_hub.h"
#include "runtime/creation.h"
#include "runtime/data_directory.h"
#include "runtime/host_identity.h"
#include "runtime/launcher_client.h"
#include "runtime/request_builder.h"
#include "runtime/run_directory.h"
#include "runtime/sandbox_cgroups.h"
#include "runtime/sandbox_core.h"
#include "sandbox/options.h"
#include "templates/template_source.h"

namespace sandbox {

/// Who removes the directory with the changes of a sandbox.
enum class Removal { BySandbox, ByStepBox };

/// Makes the sandboxes of one Runtime. Safe to use from several threads at once.
class SandboxMaker {
 public:
  /// What it has in common with the rest of the Runtime.
  struct Shared {
    HostIdentity identity;
    DataDirectory data;
    RunDirectory run;
    std::shared_ptr<LauncherClient> launcher;
    std::shared_ptr<WatchHub> watches;
  };

  /// `cgroup` and `may_move_host` as in RuntimeOptions.
  SandboxMaker(Shared shared, std::string cgroup, bool may_move_host);

  /// Has the launcher start while the caller prepares a create(). Throws Error.
  void prepare() { launcher_->prepare(); }

  /// As Runtime::create(), of `source` in the place of what `given.template_name` names.
  std::shared_ptr<SandboxCore> create(const SandboxOptions& given,
                                      const std::shared_ptr<const TemplateSource>& source,
                                      Removal removal);

 private:
  struct Confinement;
  struct Plan;

  Ids choose_ids(const SandboxOptions& options, const TemplateSource& source) const;
  std::optional<BoxDirectory> make_box_directory(const Plan& plan, Removal removal) const;
  void require_removable(const IdPlan& ids) const;
  std::shared_ptr<SandboxCore> create_owned(const Plan& plan, std::optional<BoxDirectory>& box);
  std::shared_ptr<SandboxCore> create_detached(const Plan& plan, std::optional<BoxDirectory>& box);
  Confinement impose_limits(const Plan& plan, const std::optional<BoxDirectory>& box,
                            BoxRecord& record, LaunchRequest& request);
  Confinement impose_limits(const SandboxOptions& options, const std::optional<BoxDirectory>& box,
                            BoxRecord& record, LaunchRequest& request);
  std::shared_ptr<SandboxCore> assemble(BoxRecord record, const Plan& plan,
                                        const LaunchRequest& request, Creation creation,
                                        Confinement limits) const;

  HostIdentity identity_;
  DataDirectory data_;
  RunDirectory run_;
  std::shared_ptr<LauncherClient> launcher_;
  std::shared_ptr<WatchHub> watches_;
  RequestBuilder requests_;
  SandboxCgroups cgroups_;
};

}  // namespace sandbox
