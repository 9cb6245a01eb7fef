#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "templates/template_source.h"

namespace sandbox {

/// Templates that were looked at a moment ago. Looking at `host` takes some fifty stat(2) calls,
/// which a host that makes a thousand sandboxes a second need not repeat for each. Safe to use from
/// several threads.
class TemplateCache {
 public:
  /// As find_template(); what it gave is used for a second, so a change of the template is seen
  /// after that.
  std::shared_ptr<const TemplateSource> find(const std::string& name, NameService names);

 private:
  struct Entry {
    std::shared_ptr<const TemplateSource> source;
    std::chrono::steady_clock::time_point looked_at;
  };
  std::mutex mutex_;
  std::map<std::pair<std::string, NameService>, Entry> entries_;
};

}  // namespace sandbox
