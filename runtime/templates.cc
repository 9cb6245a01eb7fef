#include "sandbox/templates.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "runtime/data_directory.h"
#include "runtime/host_identity.h"
#include "runtime/sandbox_step_runner.h"
#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "templates/builder.h"
#include "templates/image_export.h"
#include "templates/import_source.h"
#include "templates/layer_listing.h"
#include "templates/layer_store.h"
#include "templates/manifest_schema.h"
#include "templates/template_store.h"

namespace sandbox {
namespace {

void add_layers(std::vector<TemplateLayer>& to, const std::vector<LayerSummary>& from) {
  for (const LayerSummary& layer : from) to.push_back({layer.digest, layer.entries, layer.bytes});
}

TemplateInfo info_of(const TemplateRecord& record) {
  TemplateInfo info{.name = record.name,
                    .source = record.source,
                    .created = std::chrono::system_clock::from_time_t(record.created),
                    .on_host = record.on_host};
  add_layers(info.layers, record.base_layers);
  add_layers(info.layers, record.step_layers);
  info.user = record.config.user;
  info.workdir = record.config.workdir;
  info.env = record.config.env;
  info.entrypoint = record.config.entrypoint;
  info.cmd = record.config.cmd;
  info.limits = record.config.limits;
  info.ids = record.config.ids;
  info.start = record.config.start;
  if (record.config.ready) info.ready = describe(*record.config.ready);
  return info;
}

ImportLimits to_limits(const TemplateLimits& limits) {
  return {.entries = limits.entries, .bytes = limits.bytes, .time = limits.time};
}

std::string read_manifest(const std::string& file) {
  constexpr std::size_t kLargest = 1 << 20;
  const UniqueFd opened(check(::open(file.c_str(), O_RDONLY | O_CLOEXEC), "open", file));
  return read_to_end(opened.get(), file, kLargest);
}

void require_name(const std::string& name) {
  if (is_template_name(name)) return;
  throw Error(
      EINVAL, "store template", name,
      "names are 1-100 letters, digits, '.', '_' and '-', begin with a letter or digit, and "
      "are not \"host\"");
}

StoredTemplate require_template(const TemplateStore& store, const std::string& name) {
  if (std::optional<StoredTemplate> found = store.find(name)) return std::move(*found);
  throw Error(ENOENT, "find template", name, "`sandboxctl template list` lists them");
}

// What writing to the store may fail with wherever it happens, explained in one place.
template <typename Work>
auto writing_to(const std::string& directory, const Work& work) try {
  return work();
} catch (const Error& error) {
  const int value = error.code().value();
  if (!error.hint().empty()) throw;
  if (value == ENOSPC || value == EDQUOT) {
    throw Error(value, error.call(), error.subject(),
                "templates lie in " + directory +
                    "; make room there (`template rm --unused`), or have SANDBOX_HOME on a larger "
                    "disk. Templates are as they were");
  }
  if (value != EROFS && value != EACCES) throw;
  throw Error(value, error.call(), error.subject(),
              "templates lie in " + directory +
                  "; what is there can be used, but nothing be added unless it is writable, or "
                  "SANDBOX_HOME names a directory that is");
}

// What is wrong with one layer, or empty.
std::string check_layer(const TemplateStore& store, const std::string& digest) try {
  const std::optional<std::string> listing = read_listing(store, digest);
  if (!listing) return "its listing is not the one that it is named after";
  return find_difference(store.open_tree(digest), *listing);
} catch (const Error& error) {
  return error.what();
}

}  // namespace

Templates::Templates(const RuntimeOptions& options) : options_(options) {
  const HostIdentity identity = HostIdentity::of_caller();
  directory_ = DataDirectory(options.data_directory, identity).path() + "/templates";
  uid_ = identity.uid;
  gid_ = identity.gid;
}

TemplateInfo Templates::import(const std::string& source, const std::string& name,
                               const TemplateLimits& limits) const {
  require_name(name);
  if (source == "host") {
    throw Error(EINVAL, "import", source, "the template `host` is built in and has no layers");
  }
  const TemplateRecord record = writing_to(directory_, [&] {
    const LayerStore store(directory_, {uid_, gid_});
    TemplateRecord imported = import_source(source, store, to_limits(limits));
    imported.name = name;
    store.put(imported);
    return imported;
  });
  collect_layers(directory_);  // What the template was before.
  return info_of(record);
}

TemplateInfo Templates::build(const std::string& file, const BuildOptions& options) const {
  const std::string text = read_manifest(file);
  const Manifest manifest = parse_manifest(text, file);
  BuildSettings settings{.use_cache = options.use_cache,
                         .use_source = options.use_source,
                         .limits = to_limits(options.limits)};
  settings.on_step = [&](std::size_t number, std::size_t count, const Step& step, bool cached) {
    if (options.on_step) options.on_step({number, count, step.title, cached});
  };
  const TemplateRecord record = writing_to(directory_, [&] {
    const LayerStore store(directory_, {uid_, gid_});
    Runtime runtime(options_);
    SandboxStepRunner runner(runtime, store.templates(), options.on_output);
    return build_template(manifest, text, store, runner, settings);
  });
  collect_layers(directory_);
  return info_of(record);
}

SandboxOptions Templates::sandbox_options(const std::string& file) {
  const Manifest manifest = parse_manifest(read_manifest(file), file);
  SandboxOptions options{.template_name = manifest.name};
  take_isolation(manifest.network, manifest.profile, options);
  options.ids = manifest.ids.value_or(Ids::Auto);
  return options;
}

std::string Templates::manifest_schema() { return describe_manifest(); }

std::vector<TemplateInfo> Templates::list() const {
  const TemplateStore store(directory_);
  std::vector<TemplateInfo> infos;
  for (const std::string& name : store.names()) {
    // Removed meanwhile: then it is not listed.
    if (const auto found = store.find(name)) infos.push_back(info_of(found->record));
  }
  return infos;
}

TemplateInfo Templates::inspect(const std::string& name) const {
  return info_of(require_template(TemplateStore(directory_), name).record);
}

void Templates::remove(const std::string& name) const {
  writing_to(directory_, [&] { LayerStore(directory_, {uid_, gid_}).remove(name); });
  collect_layers(directory_);
}

std::vector<std::string> Templates::remove_unused() const {
  std::vector<std::string> removed;
  {
    const LayerStore store(directory_, {uid_, gid_});
    for (std::string& name : store.templates().names()) {
      try {
        store.remove(name);
        removed.push_back(std::move(name));
      } catch (const Error& error) {
        const int value = error.code().value();
        if (value != EBUSY && value != ENOENT) throw;
      }
    }
  }
  collect_layers(directory_);
  return removed;
}

std::vector<std::string> Templates::verify(const std::string& name) const {
  const TemplateStore store(directory_);
  const StoredTemplate found = require_template(store, name);
  std::vector<std::string> differences;
  for (const TemplateLayer& layer : info_of(found.record).layers) {
    const std::string difference = check_layer(store, layer.digest);
    if (!difference.empty()) differences.push_back("layer " + layer.digest + ": " + difference);
  }
  return differences;
}

std::string Templates::export_image(const std::string& name, int fd) const {
  const TemplateStore store(directory_);
  const StoredTemplate found = require_template(store, name);
  const auto write = [&](std::span<const std::byte> bytes) { write_all(fd, bytes, name); };
  return "sha256:" + sandbox::export_image(found.record, store, write);
}

CollectedTemplates Templates::collect() const {
  const Collected collected = collect_layers(directory_);
  return {collected.layers, collected.drafts};
}

}  // namespace sandbox
