#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/unique_fd.h"
#include "templates/template_record.h"

namespace sandbox {

/// A template of the store and the right to its layers: while the lock is held by anybody, no layer
/// of this record is removed, even when the name stands for other layers by now.
struct StoredTemplate {
  TemplateRecord record;
  UniqueFd lock;
};

/// The stored templates below one directory, to read. What is on disk:
///
///     names/NAME.json        the record: which layers, from where
///     retired/XXXXXX.json    records that were replaced or removed, for sandboxes that use them
///     layers/DIGEST/tree     a layer, and beside it `listing`, whose SHA-256 is DIGEST
///     steps/KEY              digest of the layer that a build step gave
///     drafts/XXXXXX/         what is being made
///     lock                   held shared by writers, exclusively by the collector
///
/// Everything gets its name by rename(2) when it is complete and on the disk; nothing with a name
/// is ever written to. Which layers are needed follows from the records alone.
class TemplateStore {
 public:
  /// `directory` need not exist; then there are no templates.
  explicit TemplateStore(std::string directory) : directory_(std::move(directory)) {}

  /// Nothing when there is no such template. Throws Error; EBADMSG for a record that is damaged.
  std::optional<StoredTemplate> find(const std::string& name) const;
  /// Sorted.
  std::vector<std::string> names() const;

  /// The directory that is a layer's lowerdir, and the file that lists it.
  std::string tree_of(const std::string& digest) const;
  std::string listing_of(const std::string& digest) const;
  UniqueFd open_tree(const std::string& digest) const;
  std::string record_path(const std::string& name) const;

  const std::string& directory() const noexcept { return directory_; }

 private:
  std::string directory_;
};

}  // namespace sandbox
