#include "templates/image_export.h"

#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <vector>

#include "sandbox/error.h"
#include "templates/image_json.h"
#include "templates/layer_export.h"
#include "templates/sha256.h"
#include "templates/tar_stream.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kLayerType = "application/vnd.oci.image.layer.v1.tar";

// A layer of the store and what it is in the image.
struct ExportedLayer {
  std::string stored;
  std::string digest;
  uint64_t size = 0;
};

json descriptor(const char* type, const std::string& digest, uint64_t size) {
  return {{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", size}};
}

json descriptor(const char* type, const std::string& text) {
  return descriptor(type, sha256_of(text), text.size());
}

ExportedLayer measure(const TemplateStore& store, const std::string& stored) {
  ExportedLayer layer{.stored = stored, .digest = {}};
  Sha256 hash;
  export_layer(store, stored, [&](std::span<const std::byte> bytes) {
    hash.add(bytes);
    layer.size += bytes.size();
  });
  layer.digest = hash.finish();
  return layer;
}

std::string config_text(const TemplateConfig& config, const std::vector<ExportedLayer>& layers) {
  json image = json::object();
  if (!config.user.empty()) image["User"] = config.user;
  if (!config.workdir.empty()) image["WorkingDir"] = config.workdir;
  for (const auto& [name, value] : config.env) {
    image["Env"].push_back(std::string(name).append("=").append(value));
  }
  if (!config.entrypoint.empty()) image["Entrypoint"] = config.entrypoint;
  if (!config.cmd.empty()) image["Cmd"] = config.cmd;
  json diff_ids = json::array();
  for (const ExportedLayer& layer : layers) diff_ids.push_back("sha256:" + layer.digest);
  return json{{"architecture", own_architecture()},
              {"os", "linux"},
              {"config", image},
              {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}}
      .dump();
}

std::string manifest_text(const std::string& config, const std::vector<ExportedLayer>& layers) {
  json list = json::array();
  for (const ExportedLayer& layer : layers) {
    list.push_back(descriptor(kLayerType, layer.digest, layer.size));
  }
  return json{{"schemaVersion", 2},
              {"mediaType", kManifestType},
              {"config", descriptor(kConfigType, config)},
              {"layers", list}}
      .dump();
}

std::string index_text(const std::string& manifest, const std::string& name) {
  json entry = descriptor(kManifestType, manifest);
  entry["annotations"] = {{"org.opencontainers.image.ref.name", name}};
  entry["platform"] = {{"architecture", own_architecture()}, {"os", "linux"}};
  return json{{"schemaVersion", 2},
              {"mediaType", "application/vnd.oci.image.index.v1+json"},
              {"manifests", json::array({entry})}}
      .dump();
}

// The files of a layout, one after the other.
class LayoutWriter {
 public:
  explicit LayoutWriter(const ByteSink& sink) : tar_(sink, TarStream::Names::Ascii) {}

  void add_text(const std::string& path, const std::string& text) {
    begin(path, S_IFREG | 0644, text.size());
    tar_.write(std::as_bytes(std::span(text)));
  }
  void add_directory(const std::string& path) { begin(path, S_IFDIR | 0755, 0); }
  void add_blob(const std::string& text) { add_text(blob_path(sha256_of(text)), text); }
  void add_layer(const TemplateStore& store, const ExportedLayer& layer) {
    begin(blob_path(layer.digest), S_IFREG | 0644, layer.size);
    export_layer(store, layer.stored,
                 [this](std::span<const std::byte> bytes) { tar_.write(bytes); });
  }
  void finish() { tar_.finish(); }

 private:
  static std::string blob_path(const std::string& digest) { return "blobs/sha256/" + digest; }

  void begin(const std::string& path, mode_t mode, uint64_t size) {
    archive_entry* const entry = tar_.next_entry();
    ::archive_entry_set_mode(entry, mode);
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    tar_.begin(path);
  }

  TarStream tar_;
};

// Steps that change nothing are one layer, and one blob.
bool is_repeated(const std::vector<ExportedLayer>& layers, std::size_t at) {
  for (std::size_t i = 0; i < at; ++i) {
    if (layers[i].digest == layers[at].digest) return true;
  }
  return false;
}

std::vector<ExportedLayer> measure_layers(const TemplateRecord& record,
                                          const TemplateStore& store) {
  if (record.on_host) {
    throw Error(EOPNOTSUPP, "export", record.name,
                "its programs are those of this machine's /usr, which is no part of it; export "
                "templates that are based on an image, an archive or debian:");
  }
  std::vector<ExportedLayer> layers;
  for (const auto* const list : {&record.base_layers, &record.step_layers}) {
    for (const LayerSummary& layer : *list) layers.push_back(measure(store, layer.digest));
  }
  return layers;
}

}  // namespace

std::string export_image(const TemplateRecord& record, const TemplateStore& store,
                         const ByteSink& sink) {
  const std::vector<ExportedLayer> layers = measure_layers(record, store);
  const std::string config = config_text(record.config, layers);
  const std::string manifest = manifest_text(config, layers);

  LayoutWriter layout(sink);
  layout.add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  layout.add_text("index.json", index_text(manifest, record.name));
  layout.add_directory("blobs");
  layout.add_directory("blobs/sha256");
  layout.add_blob(manifest);
  layout.add_blob(config);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!is_repeated(layers, i)) layout.add_layer(store, layers[i]);
  }
  layout.finish();
  return sha256_of(manifest);
}

}  // namespace sandbox
