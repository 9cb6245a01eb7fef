#include "templates/layer_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "fs/remove_tree.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/open_directory.h"
#include "sandbox/error.h"
#include "templates/sha256.h"

namespace sandbox {
namespace {

namespace files = std::filesystem;

constexpr std::size_t kLargestRecord = 4 << 20;
constexpr std::array kParts{"names", "retired", "layers", "steps", "drafts"};

void make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    check(::chmod(path.c_str(), mode), "chmod", path);
  } else if (errno != EEXIST) {
    throw Error(errno, "mkdir", path);
  }
}

// A rename is on the disk when its directory is.
void sync_directory(const std::string& path) {
  const UniqueFd directory = open_directory(path);
  check(::fsync(directory.get()), "fsync", path);
}

UniqueFd open_lock(const std::string& path) {
  return UniqueFd(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", path));
}

bool try_lock_alone(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw Error(errno, "flock", path);
}

void remove_at(const files::path& path) {
  const UniqueFd parent = open_directory(path.parent_path());
  remove_tree(parent.get(), path.filename());
}

void remove_or_leave_to_the_collector(const std::string& path) noexcept {
  try {
    remove_at(path);
  } catch (const Error&) {
    return;
  }
}

std::string read_file(const std::string& path) {
  const UniqueFd file(check(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC), "open", path));
  return read_to_end(file.get(), path, kLargestRecord);
}

// As the data directory: with euid 0, sandboxes reach their layers as other ids.
void make_parts(const std::string& directory) {
  const mode_t mode = ::geteuid() == 0 ? 0711 : 0700;
  make_directory(directory, mode);
  for (const char* const part : kParts) make_directory(directory + '/' + part, mode);
}

// What a note about a step says; nothing for one that is damaged.
std::optional<LayerSummary> read_step(const std::string& path) {
  try {
    TemplateRecord note = parse_record(read_file(path));
    if (note.step_layers.size() != 1) return std::nullopt;
    return std::move(note.step_layers.front());
  } catch (const Error& error) {
    if (error.code().value() != EBADMSG && error.code().value() != ENOENT) throw;
    return std::nullopt;
  }
}

std::string unique_name(const std::string& directory) {
  std::string name = directory + "/XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw Error(errno, "mkdtemp", name);
  return name;
}

// A directory for one file that is being written.
class FileDraft {
 public:
  explicit FileDraft(const std::string& directory) : path_(unique_name(directory)) {}
  FileDraft(const FileDraft&) = delete;
  FileDraft& operator=(const FileDraft&) = delete;
  ~FileDraft() { remove_or_leave_to_the_collector(path_); }

  std::string file() const { return path_ + "/file"; }

 private:
  std::string path_;
};

}  // namespace

LayerDraft::LayerDraft(LayerDraft&& other) noexcept : path_(std::exchange(other.path_, {})) {}

LayerDraft::LayerDraft(std::string path) : path_(std::move(path)) {
  check(::chmod(path_.c_str(), 0755), "chmod", path_);  // mkdtemp(3) made it 0700.
  make_directory(tree(), 0755);
}

LayerDraft::~LayerDraft() {
  if (!path_.empty()) remove_or_leave_to_the_collector(path_);
}

UniqueFd LayerDraft::open_tree() const { return open_directory(tree()); }

LayerStore::LayerStore(const std::string& directory, TreeOwner owner)
    : store_(directory), owner_(owner) {
  make_parts(directory);
  lock_ = open_lock(path("lock"));
  check(::flock(lock_.get(), LOCK_SH), "flock", path("lock"));
}

LayerDraft LayerStore::draft() const { return LayerDraft(unique_name(path("drafts"))); }

LayerSummary LayerStore::commit(LayerDraft draft, const RecordedStatuses& recorded) const {
  const Listing listing = list_layer(draft.open_tree(), recorded);
  LayerSummary summary{listing.digest, listing.entries, listing.bytes};
  const std::string target = path("layers") + '/' + listing.digest;
  write_file(draft.path() + "/listing", listing.text);
  // Once for all files: fsync(2) of each would be a journal commit of each.
  check(::syncfs(draft.open_tree().get()), "syncfs", draft.path());
  if (::rename(draft.path().c_str(), target.c_str()) != 0) {
    // The same layer is there already.
    if (errno != EEXIST && errno != ENOTEMPTY) throw Error(errno, "rename", target);
    return summary;
  }
  sync_directory(path("layers"));
  return summary;
}

// Beside its target and renamed: readers see all of it or what was there before.
void LayerStore::write_file(const std::string& target, const std::string& text) const {
  const FileDraft draft(path("drafts"));
  const std::string name = draft.file();
  {
    constexpr int kFlags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
    const UniqueFd file(check(::open(name.c_str(), kFlags, 0600), "open", name));
    write_all(file.get(), std::as_bytes(std::span(text)), target);
    check(::fsync(file.get()), "fsync", target);
  }
  check(::rename(name.c_str(), target.c_str()), "rename", target);
}

void LayerStore::put(const TemplateRecord& record) const {
  const UniqueFd names = open_directory(path("names"));
  // One at a time: between retire() and the new record nobody else may put one.
  check(::flock(names.get(), LOCK_EX), "flock", path("names"));
  retire(record.name);
  write_file(store_.record_path(record.name), format_record(record));
  check(::fsync(names.get()), "fsync", path("names"));
}

// A second name for the record, so that it stays when its first name goes, with the locks that
// sandboxes hold on it.
void LayerStore::retire(const std::string& name) const {
  const std::string record = store_.record_path(name);
  const std::string directory = unique_name(path("retired"));
  const std::string retired = directory + ".json";
  const int result = ::link(record.c_str(), retired.c_str());
  const int error = errno;
  check(::rmdir(directory.c_str()), "rmdir", directory);
  if (result != 0 && error != ENOENT) throw Error(error, "link", record);
}

void LayerStore::remove(const std::string& name) const {
  if (!is_template_name(name)) throw Error(EINVAL, "remove template", name, "this is no name");
  const UniqueFd names = open_directory(path("names"));
  check(::flock(names.get(), LOCK_EX), "flock", path("names"));
  const std::string record = store_.record_path(name);
  const UniqueFd file(::open(record.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) throw Error(ENOENT, "remove template", name, "there is none");
  check(file.get(), "open", record);
  if (!try_lock_alone(file.get(), record)) {
    throw Error(EBUSY, "remove template", name, "sandboxes use it; remove them first");
  }
  check(::unlink(record.c_str()), "unlink", record);
  check(::fsync(names.get()), "fsync", path("names"));
}

std::optional<LayerSummary> LayerStore::find_step(const std::string& key) const {
  std::optional<LayerSummary> layer = read_step(path("steps") + '/' + key);
  if (!layer) return std::nullopt;
  const std::string tree = store_.tree_of(layer->digest);
  return ::access(tree.c_str(), F_OK) == 0 ? layer : std::nullopt;
}

void LayerStore::put_step(const std::string& key, const LayerSummary& layer) const {
  TemplateRecord note;
  note.name = key;
  note.step_layers.push_back(layer);
  write_file(path("steps") + '/' + key, format_record(note));
}

namespace {

// Of all records, those that sandboxes still use included.
std::set<std::string> needed_layers(const std::string& directory) {
  std::set<std::string> needed;
  for (const char* const part : {"names", "retired"}) {
    for (const auto& entry : files::directory_iterator(directory + '/' + part)) {
      const TemplateRecord record = parse_record(read_file(entry.path()));
      for (const LayerSummary& layer : record.base_layers) needed.insert(layer.digest);
      for (const LayerSummary& layer : record.step_layers) needed.insert(layer.digest);
    }
  }
  return needed;
}

void collect_records(const std::string& directory) {
  for (const auto& entry : files::directory_iterator(directory + "/retired")) {
    const std::string path = entry.path();
    if (entry.is_directory()) {  // unique_name(), of a process that died.
      remove_at(path);
      continue;
    }
    const UniqueFd record(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open", path));
    if (try_lock_alone(record.get(), path)) check(::unlink(path.c_str()), "unlink", path);
  }
}

// Out of the way in one step first: a layer that is there is whole.
void remove_layer(const std::string& directory, const files::path& layer) {
  const std::string away = unique_name(directory + "/drafts") + "/layer";
  check(::rename(layer.c_str(), away.c_str()), "rename", layer.string());
  remove_at(files::path(away).parent_path());
}

void forget_steps(const std::string& directory, const std::set<std::string>& needed) {
  for (const auto& entry : files::directory_iterator(directory + "/steps")) {
    const std::optional<LayerSummary> layer = read_step(entry.path());
    if (layer && needed.contains(layer->digest)) continue;
    check(::unlink(entry.path().c_str()), "unlink", entry.path().string());
  }
}

}  // namespace

Collected collect_layers(const std::string& directory) {
  Collected collected;
  if (::access(directory.c_str(), F_OK) != 0) return collected;
  const std::string lock_path = directory + "/lock";
  const UniqueFd lock = open_lock(lock_path);
  if (!try_lock_alone(lock.get(), lock_path)) return collected;
  make_parts(directory);
  for (const auto& entry : files::directory_iterator(directory + "/drafts")) {
    remove_at(entry.path());
    ++collected.drafts;
  }
  collect_records(directory);
  const std::set<std::string> needed = needed_layers(directory);
  for (const auto& entry : files::directory_iterator(directory + "/layers")) {
    if (needed.contains(entry.path().filename())) continue;
    remove_layer(directory, entry.path());
    ++collected.layers;
  }
  forget_steps(directory, needed);
  return collected;
}

}  // namespace sandbox
