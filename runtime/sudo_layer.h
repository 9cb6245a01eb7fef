#pragma once

#include "templates/template_source.h"

namespace sandbox {

/// A layer with nothing but /usr/bin/sudo, which is sandbox-init: runtime/init/sudo_program.h.
TemplateSource sudo_layer();

/// False for a template whose /usr/bin is no plain directory: a directory of ours would hide what
/// it leads to.
bool takes_sudo_layer(const TemplateSource& source);

}  // namespace sandbox
