#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sandbox/runtime.h"
#include "templates/builder.h"

namespace sandbox {

/// What the words of a manifest mean for a sandbox; empty ones leave `options` as they are.
void take_isolation(const std::string& network, const std::string& profile,
                    SandboxOptions& options);

/// Does each step in a sandbox of its own over the layers so far, whose upperdir becomes the layer.
class SandboxStepRunner final : public StepRunner {
 public:
  /// `on_output` is told what commands print.
  SandboxStepRunner(Runtime& runtime, const TemplateStore& store,
                    std::function<void(std::string_view)> on_output)
      : runtime_(runtime), store_(store), on_output_(std::move(on_output)) {}

  RecordedStatuses run(const Step& step, const StepContext& context,
                       const LayerDraft& draft) override;

 private:
  Runtime& runtime_;
  const TemplateStore& store_;
  std::function<void(std::string_view)> on_output_;
};

}  // namespace sandbox
