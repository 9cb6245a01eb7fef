#pragma once

#include <string>
#include <string_view>

#include "templates/import_budget.h"
#include "templates/tree_writer.h"

namespace sandbox {

/// Files of an image's layer that are marks: this and a name hides what has the name in the layers
/// below, and the other hides all that these have in its directory.
inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
inline constexpr std::string_view kOpaqueMark = ".wh..wh..opq";

enum class Whiteouts {
  Literal,  ///< A name that begins with ".wh." is a name.
  Oci,      ///< It hides: OCI image specification, layer.md.
};

/// Unpacks the tar archive that `fd` gives, plain or compressed by gzip, bzip2, xz or zstd.
///
/// Only these: libarchive would run programs of the host (lrzip, lzop) for some other formats,
/// chosen by the archive. Devices, FIFOs and what stored_mode() names are left out. `subject` names
/// the archive in errors. Throws Error; EINVAL for what is no archive or is cut.
void unpack_layer(int fd, const std::string& subject, Whiteouts whiteouts, TreeWriter& tree,
                  ImportBudget& budget);

/// SHA-256 of what `fd` gives, uncompressed: the "diff_id" of a layer.
std::string uncompressed_digest(int fd, const std::string& subject, ImportBudget& budget);

}  // namespace sandbox
