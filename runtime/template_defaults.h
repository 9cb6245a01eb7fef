#pragma once

#include "sandbox/options.h"
#include "templates/template_source.h"

namespace sandbox {

/// `options` with what the template says where they say nothing: the user, and variables and limits
/// that they do not set. Throws Error: EINVAL when the template names a user whom it does
/// not have.
SandboxOptions with_template_defaults(SandboxOptions options, const TemplateSource& source);

}  // namespace sandbox
