#pragma once

#include <string>

#include "templates/import_budget.h"
#include "templates/layer_store.h"
#include "templates/template_record.h"

namespace sandbox {

/// The forms that a source of a template has, for messages.
inline constexpr const char* kSourceForms =
    "sources are host, dir:PATH, tar:PATH, oci:PATH[:REF], docker-archive:PATH[:REF], "
    "docker://IMAGE, debian:SUITE and template:NAME";

/// Brings `source` into the store and returns its layers and configuration as a record without a
/// name. Of `host` nothing is stored. Throws Error: EINVAL for a source of no known form, ENOENT
/// with a hint for a helper program that is not installed, and what the importers throw.
TemplateRecord import_source(const std::string& source, const LayerStore& store,
                             const ImportLimits& limits = {});

}  // namespace sandbox
