#include "templates/image_json.h"

#include <sys/utsname.h>

#include <cerrno>

#include "sandbox/error.h"
#include "templates/bounded_json.h"
#include "templates/sha256.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr std::string_view kAlgorithm = "sha256:";
// Docker stops at 127.
constexpr std::size_t kMostLayers = 512;

std::string digest_of(const std::string& text, const std::string& subject) {
  if (text.starts_with(kAlgorithm) && is_sha256(text.substr(kAlgorithm.size()))) {
    return text.substr(kAlgorithm.size());
  }
  throw Error(EBADMSG, "parse", subject,
              "a digest is not sha256: and 64 hexadecimal digits: " + text.substr(0, 80));
}

BlobReference blob_of(const JsonReader& descriptor, const std::string& subject) {
  return {digest_of(descriptor.text("digest"), subject), descriptor.text_or("mediaType", "")};
}

void require_few(std::size_t layers, const std::string& subject) {
  if (layers > kMostLayers) throw Error(EBADMSG, "parse", subject, "it has more than 512 layers");
}

std::map<std::string, std::string> variables(const std::vector<std::string>& list,
                                             const std::string& subject) {
  std::map<std::string, std::string> env;
  for (const std::string& variable : list) {
    const std::size_t equals = variable.find('=');
    const bool valid =
        equals != std::string::npos && equals > 0 && variable.find('\0') == std::string::npos;
    if (!valid) throw Error(EBADMSG, "parse", subject, "Env has an item that is not NAME=VALUE");
    env[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return env;
}

}  // namespace

std::string own_architecture() {
  utsname name{};
  check(::uname(&name), "uname");
  const std::string machine = name.machine;
  if (machine == "x86_64") return "amd64";
  return machine == "aarch64" ? "arm64" : machine;
}

std::vector<ImageIndexEntry> parse_image_index(std::string_view text, const std::string& subject) {
  const json document = parse_bounded_json(text, subject);
  std::vector<ImageIndexEntry> entries;
  for (const JsonReader& item : JsonReader(document, subject).objects("manifests")) {
    ImageIndexEntry entry;
    entry.blob = blob_of(item, subject);
    const auto annotations = item.text_map("annotations");
    if (const auto at = annotations.find("org.opencontainers.image.ref.name");
        at != annotations.end()) {
      entry.name = at->second;
    }
    entry.architecture = item.object("platform").text_or("architecture", "");
    const std::string& type = entry.blob.media_type;
    entry.is_index = type.ends_with("image.index.v1+json") || type.ends_with("list.v2+json");
    entries.push_back(std::move(entry));
  }
  return entries;
}

ImageManifest parse_image_manifest(std::string_view text, const std::string& subject) {
  const json document = parse_bounded_json(text, subject);
  const JsonReader reader(document, subject);
  ImageManifest manifest;
  // Of an absent one the message says that its digest is missing.
  manifest.config = blob_of(reader.object("config"), subject);
  for (const JsonReader& layer : reader.objects("layers")) {
    manifest.layers.push_back(blob_of(layer, subject));
  }
  require_few(manifest.layers.size(), subject);
  return manifest;
}

ImageConfig parse_image_config(std::string_view text, const std::string& subject) {
  const json document = parse_bounded_json(text, subject);
  const JsonReader reader(document, subject);
  const JsonReader config = reader.object("config");
  ImageConfig result;
  result.config.user = config.text_or("User", "");
  result.config.workdir = config.text_or("WorkingDir", "");
  if (!result.config.workdir.empty() && result.config.workdir.front() != '/') {
    result.config.workdir.insert(0, 1, '/');
  }
  result.config.env = variables(config.texts("Env"), subject);
  result.config.entrypoint = config.texts("Entrypoint");
  result.config.cmd = config.texts("Cmd");
  for (const std::string& id : reader.object("rootfs").texts("diff_ids")) {
    result.diff_ids.push_back(digest_of(id, subject));
  }
  result.architecture = reader.text_or("architecture", "");
  require_few(result.diff_ids.size(), subject);
  return result;
}

std::vector<SavedImage> parse_saved_images(std::string_view text, const std::string& subject) {
  const json document = parse_bounded_json(text, subject);
  if (!document.is_array()) throw Error(EBADMSG, "parse", subject, "it is no list of images");
  std::vector<SavedImage> images;
  for (const json& item : document) {
    const JsonReader image(item, subject);
    images.push_back({image.text("Config"), image.texts("RepoTags"), image.texts("Layers")});
    require_few(images.back().layers.size(), subject);
  }
  return images;
}

}  // namespace sandbox
