#pragma once

#include <string>

#include "fs/root_dir.h"
#include "templates/template_record.h"
#include "templates/tree_writer.h"

namespace sandbox {

/// Layers of an image are merged into one tree while they are imported, by their whiteouts and
/// opaque directories, instead of being kept as layers of the store. Merged, a hard link into a
/// lower layer is a hard link, an image may have more layers than a mount takes, no whiteout is
/// left that hides nothing (overlay shows its name), and what is mounted is one directory, with any
/// kernel. The price is that images do not share their common layers.

/// Imports the image `reference` from an unpacked OCI image layout; an empty reference is the only
/// one there is. Digests of all blobs are checked. Returns what the image says about itself. Throws
/// Error: ENOENT for a reference that the layout does not have, with those it has as hint; EBADMSG
/// for what is no image or does not have its digest.
TemplateConfig import_oci_layout(const RootDir& layout, const std::string& reference,
                                 TreeWriter& tree, ImportBudget& budget);

/// The same for what `docker save` writes, unpacked; digests of the uncompressed layers
/// are checked.
TemplateConfig import_saved_image(const RootDir& saved, const std::string& reference,
                                  TreeWriter& tree, ImportBudget& budget);

}  // namespace sandbox
