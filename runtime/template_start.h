#pragma once

#include "runtime/sandbox_core.h"
#include "templates/template_config.h"

namespace sandbox {

/// The tag of a template's start command.
inline constexpr const char* kStartTag = "start";

/// Runs the start command of `config`, if it has one, in a new sandbox and waits until the sandbox
/// is ready, if it says when. The command is a kept one: its output stays readable.
///
/// Throws Error, whose hint has the end of what the command printed: ECANCELED when it failed
/// before, ETIMEDOUT when it is not ready in the time that the template gives, and what
/// Commands::start throws.
void start_template(const SandboxCore& core, const TemplateConfig& config);

}  // namespace sandbox
