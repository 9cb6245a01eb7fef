#include "templates/config_json.h"

#include <cerrno>
#include <limits>
#include <string>

#include "sandbox/error.h"
#include "templates/local_url.h"

namespace sandbox {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const char* what) { throw Error(EBADMSG, "parse", "template", what); }

Ids ids_of(const std::string& word) {
  if (const auto ids = ids_named(word)) return *ids;
  refuse("its ids are none");
}

json to_json(const ReadyCheck& ready) {
  return {{"command", ready.command},
          {"port", ready.port},
          {"file", ready.file},
          {"url", ready.url},
          {"timeout_ms", ready.timeout_ms}};
}

ReadyCheck ready_of(const JsonReader& reader) {
  const uint64_t port = reader.number("port");
  ReadyCheck ready{.command = reader.text("command"),
                   .port = static_cast<uint16_t>(port),
                   .file = reader.text("file"),
                   .url = reader.text("url"),
                   .timeout_ms = reader.number("timeout_ms")};
  if (port > std::numeric_limits<uint16_t>::max()) refuse("its port is none");
  if (!ready.url.empty() && !parse_local_url(ready.url)) refuse("its url is none");
  return ready;
}

json to_json(const Limits& limits) {
  json object = json::object();
  for (const LimitKey& key : kLimitKeys) {
    if (const auto& value = limits.*key.value) object[key.name] = *value;
  }
  if (limits.cpus) object["cpus"] = *limits.cpus;
  return object;
}

// Whether they make sense is looked at where all limits are.
Limits limits_of(const JsonReader& reader) {
  Limits limits;
  for (const LimitKey& key : kLimitKeys) {
    const auto value = reader.number_if_any(key.name);
    if (value) limits.*key.value = static_cast<int64_t>(*value);
  }
  limits.cpus = reader.decimal_if_any("cpus");
  return limits;
}

}  // namespace

json to_json(const TemplateConfig& config) {
  json object{{"user", config.user},
              {"workdir", config.workdir},
              {"env", config.env},
              {"entrypoint", config.entrypoint},
              {"cmd", config.cmd},
              {"start", config.start},
              {"limits", to_json(config.limits)},
              {"ids", to_string(config.ids)}};
  if (config.ready) object["ready"] = to_json(*config.ready);
  return object;
}

TemplateConfig config_of(const JsonReader& reader) {
  TemplateConfig config{.user = reader.text_or("user", ""),
                        .workdir = reader.text_or("workdir", ""),
                        .env = reader.text_map("env"),
                        .entrypoint = reader.texts("entrypoint"),
                        .cmd = reader.texts("cmd"),
                        .start = reader.text_or("start", ""),
                        .ready = {},
                        .limits = limits_of(reader.object("limits")),
                        .ids = ids_of(reader.text_or("ids", "auto"))};
  if (reader.has("ready")) config.ready = ready_of(reader.object("ready"));
  return config;
}

}  // namespace sandbox
