#pragma once

#include <memory>

#include "runtime/sandbox_core.h"
#include "sandbox/runtime.h"
#include "templates/template_source.h"

namespace sandbox {

/// What this library does with a Runtime and its users cannot.
struct RuntimeAccess {
  /// As Runtime::create(), of `source` in the place of what `options.template_name` names, for a
  /// StepBox: with a range of ids, too, its changes may be kept in a directory.
  static std::shared_ptr<SandboxCore> create(Runtime& runtime, const SandboxOptions& options,
                                             const std::shared_ptr<const TemplateSource>& source);
  static const std::shared_ptr<LauncherClient>& launcher(const Runtime& runtime);
};

}  // namespace sandbox
