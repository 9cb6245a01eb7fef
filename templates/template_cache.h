#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "templates/template_source.h"
#include "templates/template_store.h"

namespace sandbox {

/// Templates that were looked at a moment ago. Looking at `host` takes some fifty stat(2) calls,
/// which a host that makes a thousand sandboxes a second need not repeat for each. Safe to use from
/// several threads.
class TemplateCache {
 public:
  explicit TemplateCache(TemplateStore store) : store_(std::move(store)) {}

  /// As find_template(); what it gave is used for a second, so a change of the template is seen
  /// after that. Stored templates are remembered only while somebody uses them: their locks keep
  /// them from being removed.
  std::shared_ptr<const TemplateSource> find(const std::string& name, NameService names);

 private:
  struct Entry {
    std::shared_ptr<const TemplateSource> source;
    std::weak_ptr<const TemplateSource> stored;
    std::chrono::steady_clock::time_point looked_at;
  };
  TemplateStore store_;
  std::mutex mutex_;
  std::map<std::pair<std::string, NameService>, Entry> entries_;
};

}  // namespace sandbox
