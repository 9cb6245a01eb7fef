#pragma once

#include <string>

#include "templates/byte_sink.h"
#include "templates/template_record.h"
#include "templates/template_store.h"

namespace sandbox {

/// Writes a template to `sink` as an OCI image layout in a tar archive: what `skopeo inspect
/// oci-archive:FILE` reads, and `import oci:FILE`. The image has the template's name as reference,
/// its layers, and its user, workdir, variables and commands as configuration.
///
/// The same template is the same archive, byte by byte, whenever and wherever it is written:
/// neither has a time. Nothing is stored meanwhile; each layer is read twice, since its digest and
/// size come before it. Returns the digest of the image's manifest, 64 hexadecimal digits. Throws
/// Error: EOPNOTSUPP for a template of `from: host`, and what export_layer() and the sink throw.
std::string export_image(const TemplateRecord& record, const TemplateStore& store,
                         const ByteSink& sink);

}  // namespace sandbox
