#include "templates/template_config.h"

namespace sandbox {

std::string describe(const ReadyCheck& ready) {
  if (!ready.command.empty()) return "command " + ready.command;
  if (!ready.file.empty()) return "file " + ready.file;
  if (!ready.url.empty()) return "url " + ready.url;
  return "port " + std::to_string(ready.port);
}

std::optional<Ids> ids_named(std::string_view word) noexcept {
  for (const Ids ids : {Ids::Auto, Ids::Single, Ids::Range}) {
    if (word == to_string(ids)) return ids;
  }
  return std::nullopt;
}

Limits limits_or(Limits limits, const Limits& otherwise) {
  for (const LimitKey& key : kLimitKeys) {
    if (!(limits.*key.value)) limits.*key.value = otherwise.*key.value;
  }
  if (!limits.cpus) limits.cpus = otherwise.cpus;
  return limits;
}

}  // namespace sandbox
