#pragma once

#include <string>
#include <vector>

#include "sandbox/unique_fd.h"
#include "templates/layer_listing.h"
#include "templates/template_store.h"
#include "templates/tree_writer.h"

namespace sandbox {

/// A directory in which a layer is made: removed at the end of its life unless it became a layer.
class LayerDraft {
 public:
  explicit LayerDraft(std::string path);
  LayerDraft(LayerDraft&& other) noexcept;
  LayerDraft& operator=(LayerDraft&&) = delete;
  ~LayerDraft();

  const std::string& path() const noexcept { return path_; }
  std::string tree() const { return path_ + "/tree"; }
  UniqueFd open_tree() const;

 private:
  std::string path_;
};

/// Writes to the store of templates. While it lives, nothing is collected.
///
/// Any number of processes may write at once: equal layers are the same layer, and of two records
/// of one name the last one stays. A process that is killed leaves drafts and layers without a
/// record, which collect() removes. All functions throw Error.
class LayerStore {
 public:
  /// Makes `directory`, whose parent exists, when it is missing. Waits for a collector.
  LayerStore(const std::string& directory, TreeOwner owner);

  const TemplateStore& templates() const noexcept { return store_; }
  TreeOwner owner() const noexcept { return owner_; }

  /// An empty tree to fill.
  LayerDraft draft() const;
  /// Lists, syncs and names the layer.
  LayerSummary commit(LayerDraft draft, const RecordedStatuses& recorded) const;
  /// Puts `record` in the place of the one that has its name, which then is retired.
  void put(const TemplateRecord& record) const;

  /// The layer that a step with `key` gave, if it is still there.
  std::optional<LayerSummary> find_step(const std::string& key) const;
  void put_step(const std::string& key, const LayerSummary& layer) const;

  /// Removes a template's name. Its layers go with the next collect(). Throws EBUSY while a sandbox
  /// uses it, ENOENT when there is none.
  void remove(const std::string& name) const;

 private:
  std::string path(const char* name) const { return store_.directory() + '/' + name; }
  void write_file(const std::string& target, const std::string& text) const;
  void retire(const std::string& name) const;

  TemplateStore store_;
  TreeOwner owner_;
  UniqueFd lock_;
};

/// What a collection removed.
struct Collected {
  uint64_t layers = 0;
  uint64_t drafts = 0;
};

/// Removes drafts of processes that died, records that nobody uses any more, and layers that no
/// record names. Does nothing while somebody writes to the store.
Collected collect_layers(const std::string& directory);

}  // namespace sandbox
