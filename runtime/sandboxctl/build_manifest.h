#pragma once

#include <string>

#include "sandbox/templates.h"

namespace sandboxctl {

/// Which steps of a build are told on stderr.
enum class ToldSteps { All, OnlyDone };

/// Builds the template of the manifest `file`, with what steps print on stderr. Throws
/// sandbox::Error.
sandbox::TemplateInfo build_manifest(const std::string& file, sandbox::BuildOptions options,
                                     ToldSteps told);

/// The same for the manifest of --config, if there is one. Throws Failure.
void build_config(const std::string& file);

}  // namespace sandboxctl
