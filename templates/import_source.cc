#include "templates/import_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <functional>
#include <string_view>
#include <utility>

#include "sandbox/error.h"
#include "templates/directory_import.h"
#include "templates/helper_program.h"
#include "templates/image_import.h"
#include "templates/tar_layer.h"

namespace sandbox {
namespace {

UniqueFd open_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
  check(file.get(), "open", path);
  return file;
}

UniqueFd open_source(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(directory.get(), "open", path);
  return directory;
}

bool is_directory(const std::string& path) {
  struct stat status {};
  check(::stat(path.c_str(), &status), "stat", path);
  return S_ISDIR(status.st_mode);
}

// What follows "oci:": a path that exists, or a path, ':' and a reference.
struct ImagePath {
  std::string path;
  std::string reference;
};

ImagePath split_image_path(const std::string& text) {
  struct stat status {};
  if (::stat(text.c_str(), &status) == 0) return {text, {}};
  // The reference may have a colon itself: image.tar:python:3.11.
  for (std::size_t colon = text.find(':'); colon != std::string::npos;
       colon = text.find(':', colon + 1)) {
    const std::string path = text.substr(0, colon);
    if (::stat(path.c_str(), &status) == 0) return {path, text.substr(colon + 1)};
  }
  throw Error(ENOENT, "stat", text);
}

// One import into one layer.
class Import {
 public:
  Import(const LayerStore& store, const ImportLimits& limits)
      : store_(store),
        limits_(limits),
        budget_(limits),
        draft_(store.draft()),
        tree_(draft_.open_tree(), store.owner(), budget_) {}

  void from_directory(const std::string& path) { import_directory(path, tree_, budget_); }

  void from_tar(const std::string& path) {
    unpack_layer(open_file(path).get(), path, Whiteouts::Literal, tree_, budget_);
  }

  void from_oci(const std::string& text) {
    const ImagePath image = split_image_path(text);
    config_ = with_unpacked(image.path, [&](const RootDir& layout) {
      return import_oci_layout(layout, image.reference, tree_, budget_);
    });
  }

  void from_docker_archive(const std::string& text) {
    const ImagePath image = split_image_path(text);
    config_ = with_unpacked(image.path, [&](const RootDir& saved) {
      return import_saved_image(saved, image.reference, tree_, budget_);
    });
  }

  void from_registry(const std::string& image) {
    const LayerDraft download = store_.draft();
    HelperProgram skopeo(
        {"skopeo", "copy", "--quiet", "docker://" + image, "oci:" + download.tree() + ":image"},
        "images of a registry are fetched by skopeo(1), which is not installed; "
        "install the package skopeo");
    skopeo.finish();
    config_ = import_oci_layout(RootDir(download.open_tree()), "image", tree_, budget_);
  }

  void from_debian(const std::string& suite) {
    HelperProgram mmdebstrap(
        {"mmdebstrap", "--variant=minbase", "--quiet", "--", suite, "-"},
        "Debian systems are made by mmdebstrap(1), which is not installed; install the package "
        "mmdebstrap");
    try {
      unpack_layer(mmdebstrap.stdout_fd(), "mmdebstrap", Whiteouts::Literal, tree_, budget_);
    } catch (const Error& error) {
      if (error.code().value() != EINVAL) throw;
      mmdebstrap.finish();  // What it says explains an archive that is cut.
      throw;
    }
    mmdebstrap.finish();
  }

  TemplateRecord finish() && {
    tree_.finish();
    TemplateRecord record;
    record.base_layers.push_back(store_.commit(std::move(draft_), tree_.take_recorded()));
    record.config = std::move(config_);
    return record;
  }

 private:
  // An image is a directory, or a tar archive of that directory.
  TemplateConfig with_unpacked(const std::string& path,
                               const std::function<TemplateConfig(const RootDir&)>& use) const {
    if (is_directory(path)) return use(RootDir(open_source(path)));
    const LayerDraft unpacked = store_.draft();
    ImportBudget budget(limits_);
    TreeWriter files(unpacked.open_tree(), store_.owner(), budget);
    unpack_layer(open_file(path).get(), path, Whiteouts::Literal, files, budget);
    return use(RootDir(unpacked.open_tree()));
  }

  const LayerStore& store_;
  ImportLimits limits_;
  ImportBudget budget_;
  LayerDraft draft_;
  TreeWriter tree_;
  TemplateConfig config_;
};

struct SourceForm {
  std::string_view prefix;
  void (Import::*import)(const std::string& rest);
};

constexpr SourceForm kForms[] = {
    {"dir:", &Import::from_directory},     {"tar:", &Import::from_tar},
    {"oci:", &Import::from_oci},           {"docker-archive:", &Import::from_docker_archive},
    {"docker://", &Import::from_registry}, {"debian:", &Import::from_debian},
};

TemplateRecord import_template(const std::string& name, const LayerStore& store) {
  std::optional<StoredTemplate> base = store.templates().find(name);
  if (!base) throw Error(ENOENT, "find template", name, "`sandboxctl template list` lists them");
  return std::move(base->record);
}

TemplateRecord find_and_import(const std::string& source, const LayerStore& store,
                               const ImportLimits& limits) {
  constexpr std::string_view kTemplate = "template:";
  if (source == "host") {
    TemplateRecord host;
    host.on_host = true;
    return host;
  }
  if (source.starts_with(kTemplate)) return import_template(source.substr(kTemplate.size()), store);
  for (const SourceForm& form : kForms) {
    if (!source.starts_with(form.prefix)) continue;
    Import import(store, limits);
    (import.*form.import)(source.substr(form.prefix.size()));
    return std::move(import).finish();
  }
  throw Error(EINVAL, "import", source, kSourceForms);
}

}  // namespace

TemplateRecord import_source(const std::string& source, const LayerStore& store,
                             const ImportLimits& limits) {
  TemplateRecord record = find_and_import(source, store, limits);
  record.name.clear();
  record.source = source;
  record.created = static_cast<int64_t>(std::time(nullptr));
  return record;
}

}  // namespace sandbox
