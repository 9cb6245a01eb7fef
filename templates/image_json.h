#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "templates/template_record.h"

namespace sandbox {

/// The name that images have for the processor of this machine: "amd64".
std::string own_architecture();

/// A reference from one blob of an OCI image to another.
struct BlobReference {
  std::string digest;  ///< 64 hexadecimal digits, checked; the algorithm is always sha256.
  std::string media_type;
};

/// An entry of index.json: a manifest, or another index.
struct ImageIndexEntry {
  BlobReference blob;
  std::string name;          ///< org.opencontainers.image.ref.name, or empty.
  std::string architecture;  ///< Of its platform, or empty.
  bool is_index = false;
};

struct ImageManifest {
  BlobReference config;
  std::vector<BlobReference> layers;  ///< From bottom to top.
};

struct ImageConfig {
  TemplateConfig config;
  std::vector<std::string> diff_ids;  ///< Digests of the layers, uncompressed, as hexadecimals.
  std::string architecture;
};

/// What `docker save` writes as manifest.json, of which the names are those of files in the
/// archive.
struct SavedImage {
  std::string config;
  std::vector<std::string> names;  ///< "python:3.11".
  std::vector<std::string> layers;
};

// Of JSON by whoever made the image: each throws Error with EBADMSG naming `subject` and what is
// wrong. Digests are checked because they become paths ("sha256:../../x").
std::vector<ImageIndexEntry> parse_image_index(std::string_view text, const std::string& subject);
ImageManifest parse_image_manifest(std::string_view text, const std::string& subject);
ImageConfig parse_image_config(std::string_view text, const std::string& subject);
std::vector<SavedImage> parse_saved_images(std::string_view text, const std::string& subject);

}  // namespace sandbox
