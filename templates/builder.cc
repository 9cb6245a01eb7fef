#include "templates/builder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <utility>
#include <variant>

#include "sandbox/error.h"
#include "templates/copied_files.h"
#include "templates/import_source.h"
#include "templates/input_state.h"
#include "templates/sha256.h"

namespace sandbox {
namespace {

namespace files = std::filesystem;

// A change of what steps do must not find layers of an older build.
constexpr const char* kFormat = "2";

bool is_apt(const Step& step) {
  const auto* install = std::get_if<InstallStep>(&step.action);
  return install != nullptr && install->manager == InstallStep::Manager::Apt;
}

// One id, unless somebody asks for more: `ids`, a step that cannot do without, or the template
// below, whose steps had them.
Ids ids_of_steps(const Manifest& manifest, const TemplateRecord& base) {
  if (manifest.ids && *manifest.ids != Ids::Auto) return *manifest.ids;
  const bool installs = std::any_of(manifest.steps.begin(), manifest.steps.end(), is_apt);
  return installs || base.config.ids == Ids::Range ? Ids::Range : Ids::Single;
}

void require_installable(const Manifest& manifest, const StepContext& context) {
  for (const Step& step : manifest.steps) {
    if (!is_apt(step)) continue;
    if (context.so_far.on_host) {
      throw Error(EOPNOTSUPP, "build template", step.place,
                  "with `from: host` /usr is the machine's own and read-only; start from "
                  "debian:SUITE or an image");
    }
    if (context.ids == Ids::Range) continue;
    throw Error(EOPNOTSUPP, "build template", step.place,
                "dpkg gives files to other users, of which `ids: single` has none; leave `ids` "
                "out, or start from an image that has the packages");
  }
}

// One entry of what a step copies: name, kind, mode and content; not its time, not its owner.
void add_entry(Sha256& hash, const files::path& path, const std::string& name) {
  struct stat status {};
  check(::lstat(path.c_str(), &status), "lstat", path.string());
  hash.add_field(name);
  hash.add_field(std::to_string(status.st_mode & (S_IFMT | 0777)));
  if (S_ISLNK(status.st_mode)) hash.add_field(files::read_symlink(path).string());
  if (!S_ISREG(status.st_mode)) return;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  check(file.get(), "open", path.string());
  hash.add_field(sha256_of_file(file.get(), path));
}

void add_files(Sha256& hash, const CopyStep& step) {
  for (const std::string& name : list_copied(step).names) {
    add_entry(hash, name.empty() ? step.from : step.from + '/' + name, name);
  }
}

// The parts of a step's key. The index tells kinds of steps apart.
struct AddStep {
  Sha256& hash;
  bool on_host = false;

  void operator()(const RunStep& step) const {
    hash.add_field(step.command);
    add_programs();
  }
  void operator()(const CopyStep& step) const {
    hash.add_field(step.to);
    add_files(hash, step);
  }
  void operator()(const WriteStep& step) const {
    hash.add_field(step.path);
    hash.add_field(step.content);
    hash.add_field(std::to_string(step.mode));
  }
  void operator()(const RemoveStep& step) const { hash.add_field(step.path); }
  void operator()(const MkdirStep& step) const { hash.add_field(step.path); }
  void operator()(const SymlinkStep& step) const {
    hash.add_field(step.path);
    hash.add_field(step.target);
  }
  void operator()(const InstallStep& step) const {
    hash.add_field(std::to_string(static_cast<int>(step.manager)));
    for (const std::string& package : step.packages) hash.add_field(package);
    add_programs();
  }
  void operator()(const UserStep&) const {}
  void operator()(const WorkdirStep&) const {}
  void operator()(const EnvStep&) const {}

  // Of what is run; other steps only write.
  void add_programs() const {
    if (on_host) hash.add_field(host_state());
  }
};

std::string key_of(const Step& step, const StepContext& context) {
  Sha256 hash;
  hash.add_field(kFormat);
  const TemplateRecord& below = context.so_far;
  hash.add_field(below.on_host ? "host" : "");
  for (const LayerSummary& layer : below.base_layers) hash.add_field(layer.digest);
  hash.add_field("steps");
  for (const LayerSummary& layer : below.step_layers) hash.add_field(layer.digest);
  for (const std::string* text :
       {&below.config.user, &below.config.workdir, &context.network, &context.profile}) {
    hash.add_field(*text);
  }
  for (const auto& [name, value] : below.config.env) {
    hash.add_field(name);
    hash.add_field(value);
  }
  hash.add_field(context.ids == Ids::Range ? "range" : "");
  hash.add_field(std::to_string(step.action.index()));
  std::visit(AddStep{hash, below.on_host}, step.action);
  return hash.finish();
}

// True for a step that only says how later ones run.
bool set_context(const Step& step, TemplateConfig& config) {
  if (const auto* user = std::get_if<UserStep>(&step.action)) {
    config.user = user->name;
  } else if (const auto* workdir = std::get_if<WorkdirStep>(&step.action)) {
    config.workdir = workdir->path;
  } else if (const auto* env = std::get_if<EnvStep>(&step.action)) {
    for (const auto& [name, value] : env->env) config.env[name] = value;
  } else {
    return false;
  }
  return true;
}

void apply_config(const Manifest& manifest, TemplateConfig& config) {
  if (!manifest.user.empty()) config.user = manifest.user;
  if (!manifest.workdir.empty()) config.workdir = manifest.workdir;
  for (const auto& [name, value] : manifest.env) config.env[name] = value;
  if (!manifest.start.empty()) {
    config.start = manifest.start;
    config.ready.reset();  // That of the template below waits for what is not started.
  }
  if (manifest.ready) config.ready = manifest.ready;
  config.limits = limits_or(manifest.limits, config.limits);
  if (manifest.ids) config.ids = *manifest.ids;
}

void require_room(const TemplateRecord& record, const Step& step) {
  if (record.base_layers.size() + record.step_layers.size() < kMaxLayers) return;
  throw Error(
      E2BIG, "build template", step.place,
      "a template may have " + std::to_string(kMaxLayers) + " layers; join steps into one `run`");
}

LayerSummary do_step(const Step& step, const StepContext& context, const LayerStore& store,
                     StepRunner& runner) {
  LayerDraft draft = store.draft();
  const RecordedStatuses recorded = runner.run(step, context, draft);
  return store.commit(std::move(draft), recorded);
}

// What steps begin with. A source that is as it was is not imported again: fetching a suite takes
// half a minute.
TemplateRecord base_of(const Manifest& manifest, const LayerStore& store,
                       const BuildSettings& settings) {
  const std::optional<std::string> state = source_state(manifest.from);
  Sha256 hash;
  hash.add_field("source");
  hash.add_field(state.value_or(""));
  const std::string key = hash.finish();
  std::optional<LayerSummary> layer;
  if (state && settings.use_source) layer = store.find_step(key);
  if (layer) {
    TemplateRecord record;
    record.source = manifest.from;
    record.created = static_cast<int64_t>(std::time(nullptr));
    record.base_layers.push_back(*layer);
    return record;
  }
  TemplateRecord record = import_source(manifest.from, store, settings.limits);
  if (state) store.put_step(key, record.base_layers.front());
  return record;
}

// The same but for the time it was built at.
bool is_stored(TemplateRecord record, const LayerStore& store) {
  const std::optional<StoredTemplate> stored = store.templates().find(record.name);
  if (!stored) return false;
  record.created = stored->record.created;
  return format_record(record) == format_record(stored->record);
}

}  // namespace

TemplateRecord build_template(const Manifest& manifest, const std::string& text,
                              const LayerStore& store, StepRunner& runner,
                              const BuildSettings& settings) {
  StepContext context{.so_far = base_of(manifest, store, settings),
                      .network = manifest.network,
                      .profile = manifest.profile,
                      .ids = Ids::Single};
  context.ids = ids_of_steps(manifest, context.so_far);
  require_installable(manifest, context);
  TemplateRecord& record = context.so_far;
  apply_config(manifest, record.config);
  const TemplateConfig final_config = record.config;
  const std::size_t count = manifest.steps.size();
  for (std::size_t number = 1; number <= count; ++number) {
    const Step& step = manifest.steps[number - 1];
    if (set_context(step, record.config)) continue;
    require_room(record, step);
    const std::string key = key_of(step, context);
    std::optional<LayerSummary> layer;
    if (settings.use_cache) layer = store.find_step(key);
    if (settings.on_step) settings.on_step(number, count, step, layer.has_value());
    if (!layer) {
      layer = do_step(step, context, store, runner);
      store.put_step(key, *layer);
    }
    record.step_layers.push_back(*layer);
  }
  // Steps set who and where for those behind them; the top of the manifest says it for sandboxes.
  record.config.user = final_config.user;
  record.config.workdir = final_config.workdir;
  record.name = manifest.name;
  record.manifest = text;
  if (!is_stored(record, store)) store.put(record);
  return record;
}

}  // namespace sandbox
