#pragma once

#include <functional>
#include <string>

#include "templates/import_budget.h"
#include "templates/layer_store.h"
#include "templates/manifest.h"
#include "templates/template_record.h"

namespace sandbox {

/// What a step runs on: the layers so far, and who, where and with which variables.
struct StepContext {
  TemplateRecord so_far;
  std::string network;
  std::string profile;
  Ids ids = Ids::Single;  ///< Or Range.
};

/// Does steps, in whatever a sandbox is. The builder knows which ones and when; this knows how.
class StepRunner {
 public:
  StepRunner() = default;
  StepRunner(const StepRunner&) = delete;
  StepRunner& operator=(const StepRunner&) = delete;
  virtual ~StepRunner() = default;

  /// Does `step` on top of `context.so_far` and puts what it changed into `draft`'s tree, as
  /// overlay writes it. Throws Error.
  virtual RecordedStatuses run(const Step& step, const StepContext& context,
                               const LayerDraft& draft) = 0;
};

struct BuildSettings {
  bool use_cache = true;   ///< Take layers of steps that were done before.
  bool use_source = true;  ///< Take what a source was when it was fetched before.
  ImportLimits limits = {};
  /// Told before each step: its number from 1, of how many, what it is, whether it is done already.
  std::function<void(std::size_t number, std::size_t count, const Step& step, bool cached)>
      on_step = {};
};

/// Builds the template that `manifest` describes and stores it. Each step that may change files
/// becomes a layer, found again by the hash of what it depends on: the layers below, the step, the
/// content and modes of files it copies, and who, where and with which variables it runs. What is
/// run under `from: host` depends on host_state() as well. Sources: source_state().
///
/// Throws Error: EOPNOTSUPP for packages of `apt` where they cannot be installed; what importers
/// and `runner` throw. Then the template of that name is what it was.
TemplateRecord build_template(const Manifest& manifest, const std::string& text,
                              const LayerStore& store, StepRunner& runner,
                              const BuildSettings& settings);

}  // namespace sandbox
