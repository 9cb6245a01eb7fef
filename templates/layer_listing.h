#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "sandbox/unique_fd.h"
#include "templates/layer_entry.h"
#include "templates/template_store.h"

namespace sandbox {

/// Mode and owner that entries had in their source, where the tree does not show them: of paths
/// that are not here the mode is that of the tree and the owner root.
struct RecordedStatus {
  mode_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
};
using RecordedStatuses = std::map<std::string, RecordedStatus>;

/// A layer's tree as text: all entries in one order, the same for the same content. Its SHA-256 is
/// the name of the layer.
struct Listing {
  std::string text;
  std::string digest;
  uint64_t entries = 0;
  uint64_t bytes = 0;  ///< Sum of the sizes of files.
};

/// Reads all of `tree`, which must be at rest. Throws Error; EINVAL for an entry that no layer has:
/// a device other than a whiteout, a FIFO, a socket.
Listing list_layer(UniqueFd tree, const RecordedStatuses& recorded);

/// Reads the listing of a stored layer. Nothing when it is not the one that `digest` is of.
std::optional<std::string> read_listing(const TemplateStore& store, const std::string& digest);

/// Compares `tree` with its listing; the first difference in words, or empty.
std::string find_difference(UniqueFd tree, std::string_view listing);

}  // namespace sandbox
