#include "templates/image_import.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "templates/image_json.h"
#include "templates/sha256.h"
#include "templates/tar_layer.h"

namespace sandbox {
namespace {

constexpr std::size_t kLargestDocument = 4 << 20;
constexpr int kDeepestIndex = 4;

void require_digest(const std::string& found, const std::string& wanted,
                    const std::string& subject) {
  if (found == wanted) return;
  throw Error(EBADMSG, "verify", subject,
              "it is damaged or was changed: its SHA-256 is " + found + ", not " + wanted);
}

void rewind(int fd, const std::string& subject) {
  check(::lseek(fd, 0, SEEK_SET), "lseek", subject);
}

std::string read_document(const RootDir& root, const std::string& path) {
  const OpenedFile file = root.open_file(path, O_RDONLY);
  return read_to_end(file.fd.get(), path, kLargestDocument);
}

std::string blob_path(const std::string& digest) { return "/blobs/sha256/" + digest; }

std::string read_blob(const RootDir& layout, const BlobReference& blob) {
  const std::string path = blob_path(blob.digest);
  std::string text = read_document(layout, path);
  require_digest(sha256_of(text), blob.digest, path);
  return text;
}

std::string names_in(const std::vector<ImageIndexEntry>& entries) {
  std::string names;
  for (const ImageIndexEntry& entry : entries) {
    if (!entry.name.empty()) names += (names.empty() ? "" : ", ") + entry.name;
  }
  return names.empty() ? "its images have no names; leave out the reference"
                       : "it has " + names.substr(0, 200);
}

// By name when one is asked for, else the only one, else the one for this machine.
const ImageIndexEntry& choose(const std::vector<ImageIndexEntry>& entries,
                              const std::string& reference) {
  std::vector<const ImageIndexEntry*> named;
  for (const ImageIndexEntry& entry : entries) {
    if (reference.empty() || entry.name == reference) named.push_back(&entry);
  }
  if (named.empty()) throw Error(ENOENT, "find image", reference, names_in(entries));
  if (named.size() == 1) return *named.front();
  const std::string architecture = own_architecture();
  for (const ImageIndexEntry* entry : named) {
    if (entry->architecture == architecture) return *entry;
  }
  throw Error(ENOENT, "find image", reference,
              "there are several, none for " + architecture + "; " + names_in(entries));
}

ImageManifest find_manifest(const RootDir& layout, const std::string& reference) {
  std::string name = "/index.json";
  std::string text = read_document(layout, name);
  std::string wanted = reference;
  for (int depth = 0; depth < kDeepestIndex; ++depth) {
    const ImageIndexEntry entry = choose(parse_image_index(text, name), wanted);
    name = blob_path(entry.blob.digest);
    text = read_blob(layout, entry.blob);
    if (!entry.is_index) return parse_image_manifest(text, name);
    wanted.clear();  // What an inner index names is the platform.
  }
  throw Error(EBADMSG, "parse", name, "its indexes are nested too deeply");
}

void require_own_architecture(const ImageConfig& config) {
  const std::string own = own_architecture();
  if (config.architecture.empty() || config.architecture == own) return;
  throw Error(ENOEXEC, "import", config.architecture,
              "the image is for another kind of processor; this machine is " + own);
}

// The parts of an image, in which each layer merges into those before it.
void merge_layer(const UniqueFd& layer, const std::string& path, bool first, TreeWriter& tree,
                 ImportBudget& budget) {
  rewind(layer.get(), path);
  if (!first) tree.begin_layer();
  unpack_layer(layer.get(), path, Whiteouts::Oci, tree, budget);
}

bool has_name(const SavedImage& image, const std::string& reference) {
  if (reference.empty()) return true;
  for (const std::string& name : image.names) {
    if (name == reference) return true;
  }
  return false;
}

SavedImage find_saved(const RootDir& saved, const std::string& reference) {
  constexpr const char* kName = "/manifest.json";
  std::string known;
  std::optional<SavedImage> found;
  for (SavedImage& image : parse_saved_images(read_document(saved, kName), kName)) {
    for (const std::string& name : image.names) known += (known.empty() ? "" : ", ") + name;
    if (!has_name(image, reference)) continue;
    if (found) throw Error(EINVAL, "find image", reference, "name one of " + known.substr(0, 200));
    found = std::move(image);
  }
  if (!found) throw Error(ENOENT, "find image", reference, "it has " + known.substr(0, 200));
  return *std::move(found);
}

}  // namespace

TemplateConfig import_oci_layout(const RootDir& layout, const std::string& reference,
                                 TreeWriter& tree, ImportBudget& budget) {
  const ImageManifest manifest = find_manifest(layout, reference);
  const std::string name = blob_path(manifest.config.digest);
  const ImageConfig config = parse_image_config(read_blob(layout, manifest.config), name);
  require_own_architecture(config);
  bool first = true;
  for (const BlobReference& blob : manifest.layers) {
    const std::string path = blob_path(blob.digest);
    const OpenedFile layer = layout.open_file(path, O_RDONLY);
    require_digest(sha256_of_file(layer.fd.get(), path), blob.digest, path);
    merge_layer(layer.fd, path, first, tree, budget);
    first = false;
  }
  return config.config;
}

TemplateConfig import_saved_image(const RootDir& saved, const std::string& reference,
                                  TreeWriter& tree, ImportBudget& budget) {
  const SavedImage image = find_saved(saved, reference);
  const std::string name = '/' + image.config;
  const ImageConfig config = parse_image_config(read_document(saved, name), name);
  require_own_architecture(config);
  if (config.diff_ids.size() != image.layers.size()) {
    throw Error(EBADMSG, "parse", name, "it does not have a digest for each layer");
  }
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const std::string path = '/' + image.layers[i];
    const OpenedFile layer = saved.open_file(path, O_RDONLY);
    ImportBudget reading;  // Of its own: what is read here is not what is kept.
    require_digest(uncompressed_digest(layer.fd.get(), path, reading), config.diff_ids[i], path);
    merge_layer(layer.fd, path, i == 0, tree, budget);
  }
  return config.config;
}

}  // namespace sandbox
