#pragma once

#include <nlohmann/json.hpp>

#include "templates/bounded_json.h"
#include "templates/template_config.h"

namespace sandbox {

nlohmann::json to_json(const TemplateConfig& config);

/// Throws Error with EBADMSG for what to_json() does not give.
TemplateConfig config_of(const JsonReader& reader);

}  // namespace sandbox
