// What authors of templates and images write.

#include <string_view>

#include "sandbox/error.h"
#include "templates/image_json.h"
#include "templates/layer_entry.h"
#include "templates/manifest.h"
#include "templates/template_record.h"
#include "tests/fuzz/decoders.h"

namespace sandbox::test {
namespace {

constexpr std::string_view kManifest = R"(name: app
from: oci:image:latest
env: {A: 1}
steps:
  - run: |
      make
  - copy: {from: ./app, to: /srv}
  - write: {path: /a, content: "b\n", mode: "0600"}
  - apt: [git, curl]
ready: {port: 80, timeout: 2m}
limits: {memory: 512M, pids: 256, cpus: 1.5}
)";

constexpr std::string_view kDigest =
    "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"";

std::string image_index() {
  return R"({"manifests":[{"mediaType":"x","digest":)" + std::string(kDigest) +
         R"(,"platform":{"architecture":"amd64"},"annotations":{"a":"b"}}]})";
}

std::string image_manifest() {
  return R"({"config":{"digest":)" + std::string(kDigest) + R"(},"layers":[{"digest":)" +
         std::string(kDigest) + "}]}";
}

std::string image_config() {
  return R"({"architecture":"amd64","config":{"User":"a","Env":["A=b"],"Cmd":["sh"]},)"
         R"("rootfs":{"diff_ids":[)" +
         std::string(kDigest) + "]}}";
}

std::string layer_entry() {
  LayerEntry entry;
  entry.path = "a b";
  entry.status.xattrs.emplace("user.a", "\n");
  return format_entry(entry);
}

std::string template_record() {
  TemplateRecord record;
  record.name = "app";
  record.base_layers.push_back({std::string(64, 'a'), 1, 2});
  record.config.env.emplace("A", "b");
  record.config.start = "serve";
  record.config.ready = ReadyCheck{.url = "http://localhost:80/"};
  record.config.limits = {.memory_bytes = 1 << 30, .cpus = 1.5};
  record.config.ids = Ids::Range;
  return format_record(record);
}

Decoder decoder_of(const char* name, const std::function<void(std::string_view)>& decode,
                   std::string_view sample) {
  const auto bytes = std::as_bytes(std::span(sample));
  return {.name = name,
          .decode =
              [decode](std::span<const std::byte> input) {
                try {
                  decode({reinterpret_cast<const char*>(input.data()), input.size()});
                } catch (const Error&) {
                }
              },
          .corpus = {{bytes.begin(), bytes.end()}}};
}

}  // namespace

std::vector<Decoder> template_decoders() {
  constexpr const char* kName = "input";
  return {
      decoder_of(
          "manifest", [](auto text) { parse_manifest(text, "/f.yaml"); }, kManifest),
      decoder_of(
          "image_index", [](auto text) { parse_image_index(text, kName); }, image_index()),
      decoder_of(
          "image_manifest", [](auto text) { parse_image_manifest(text, kName); }, image_manifest()),
      decoder_of(
          "image_config", [](auto text) { parse_image_config(text, kName); }, image_config()),
      decoder_of(
          "saved_images", [](auto text) { parse_saved_images(text, kName); },
          R"([{"Config":"a.json","RepoTags":["a:1"],"Layers":["b/layer.tar"]}])"),
      decoder_of(
          "layer_entry", [](auto text) { parse_entry(take_entry(text)); }, layer_entry()),
      decoder_of(
          "template_record", [](auto text) { parse_record(text); }, template_record())};
}

}  // namespace sandbox::test
