#pragma once

#include <string>

#include "templates/byte_sink.h"
#include "templates/template_store.h"

namespace sandbox {

/// Writes a stored layer to `sink` as a layer of an OCI image, uncompressed: modes and owners that
/// its listing has, whiteouts and opaque directories as the image specification (layer.md) has
/// them, holes as zeros. The same layer is always the same bytes.
///
/// All content is compared with the listing. Throws Error: EBADMSG for a layer that was changed;
/// EINVAL for names that the form gives another meaning (".wh.x").
void export_layer(const TemplateStore& store, const std::string& digest, const ByteSink& sink);

}  // namespace sandbox
