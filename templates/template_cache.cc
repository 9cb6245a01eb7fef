#include "templates/template_cache.h"

namespace sandbox {
namespace {

constexpr std::chrono::seconds kFresh{1};

}  // namespace

std::shared_ptr<const TemplateSource> TemplateCache::find(const std::string& name,
                                                          NameService names) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[{name, names}];
  std::shared_ptr<const TemplateSource> known = entry.source ? entry.source : entry.stored.lock();
  if (known && now - entry.looked_at <= kFresh) return known;
  entry.source.reset();
  known = std::make_shared<const TemplateSource>(find_template(name, names, store_));
  entry.stored = known;
  if (!known->in_use) entry.source = known;
  entry.looked_at = now;
  return known;
}

}  // namespace sandbox
