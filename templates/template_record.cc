#include "templates/template_record.h"

#include <algorithm>
#include <cerrno>

#include "sandbox/error.h"
#include "templates/bounded_json.h"
#include "templates/config_json.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr uint64_t kVersion = 1;

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

json to_json(const std::vector<LayerSummary>& layers) {
  json list = json::array();
  for (const LayerSummary& layer : layers) {
    list.push_back({{"digest", layer.digest}, {"entries", layer.entries}, {"bytes", layer.bytes}});
  }
  return list;
}

std::vector<LayerSummary> layers_of(const JsonReader& record, const char* key) {
  std::vector<LayerSummary> layers;
  for (const JsonReader& layer : record.objects(key)) {
    layers.push_back({layer.text("digest"), layer.number("entries"), layer.number("bytes")});
    // It becomes part of a path.
    if (!is_digest(layers.back().digest)) {
      throw Error(EBADMSG, "parse", "template", "a layer's digest is none");
    }
  }
  return layers;
}

}  // namespace

std::string format_record(const TemplateRecord& record) {
  const json document{{"version", kVersion},
                      {"name", record.name},
                      {"source", record.source},
                      {"created", record.created},
                      {"on_host", record.on_host},
                      {"base_layers", to_json(record.base_layers)},
                      {"step_layers", to_json(record.step_layers)},
                      {"config", to_json(record.config)},
                      {"manifest", record.manifest}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

TemplateRecord parse_record(std::string_view text) {
  const json document = parse_bounded_json(text, "template");
  const JsonReader reader(document, "template");
  if (reader.number("version") != kVersion) {
    throw Error(EBADMSG, "parse", "template",
                "another version of sandbox wrote it; import it anew");
  }
  TemplateRecord record;
  record.name = reader.text("name");
  record.source = reader.text("source");
  record.created = static_cast<int64_t>(reader.number("created"));
  record.on_host = reader.flag_or("on_host", false);
  record.base_layers = layers_of(reader, "base_layers");
  record.step_layers = layers_of(reader, "step_layers");
  if (record.base_layers.size() + record.step_layers.size() > kMaxLayers) {
    throw Error(EBADMSG, "parse", "template", "it has too many layers");
  }
  record.config = config_of(reader.object("config"));
  record.manifest = reader.text_or("manifest", "");
  return record;
}

bool is_template_name(std::string_view name) noexcept {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 100 && is_word(name.front()) && name != "host" &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_word(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace sandbox
