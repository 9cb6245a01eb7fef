#pragma once

#include <unistd.h>

#include <string>

#include "templates/import_source.h"
#include "templates/layer_store.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {

/// A store of its own, and files to import.
class StoreFixture {
 public:
  LayerStore open() const { return LayerStore(directory(), {::geteuid(), ::getegid()}); }
  std::string directory() const { return dir_.path("store"); }
  const TempDir& files() const { return dir_; }

  /// Writes `bytes` to a file of the name and gives its path.
  std::string file(const std::string& name, const std::string& bytes) const {
    dir_.write(name, bytes);
    return dir_.path(name);
  }

  /// Imports and names it `t`; gives the path of its tree.
  std::string import(const std::string& source, const ImportLimits& limits = {}) const {
    const LayerStore store = open();
    TemplateRecord record = import_source(source, store, limits);
    record.name = name_;
    store.put(record);
    return store.templates().tree_of(record.base_layers.at(0).digest);
  }
  std::string import_tar(const std::string& bytes, const ImportLimits& limits = {}) const {
    return import(std::string("tar:").append(file("archive.tar", bytes)), limits);
  }

 private:
  std::string name_{"t"};
  TempDir dir_;
};

}  // namespace sandbox::test
