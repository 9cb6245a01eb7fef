#pragma once

#include <optional>
#include <string>

#include "runtime/data_directory.h"
#include "runtime/host_identity.h"
#include "runtime/init/launch_request.h"
#include "sandbox/options.h"
#include "templates/skeleton_store.h"
#include "templates/template_source.h"

namespace sandbox {

/// Turns what was asked for into what the launcher is told, all but the limits.
class RequestBuilder {
 public:
  /// No mount may show the directories `data_path` and `run_path`.
  RequestBuilder(std::string data_path, std::string run_path, const HostIdentity& identity);

  /// `box` has the changes; nothing: they are in memory. Throws Error: ENOENT for a mount that is
  /// not there, EINVAL for one that shows our directories and for a ttl that is none.
  LaunchRequest build(const SandboxOptions& options, const TemplateSource& source,
                      const IdPlan& ids, const std::optional<BoxDirectory>& box) const;

 private:
  RootRequest root_request(const SandboxOptions& options, const TemplateSource& source,
                           const IdPlan& ids) const;
  BindMount bind_mount(const Mount& mount) const;

  std::string data_path_;
  std::string run_path_;
  SkeletonStore skeletons_;
  TemplateSource sudo_layer_;
};

}  // namespace sandbox
