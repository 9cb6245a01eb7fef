#include <fcntl.h>

#include <utility>

#include "fs/acting.h"
#include "fs/dir_stack.h"
#include "fs/entry_builder.h"
#include "fs/file_ops.h"
#include "fs/fs_identity.h"
#include "fs/metadata.h"
#include "fs/sandbox_path.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// The walk behind list(): one frame for each directory that is being listed.
class Lister {
 public:
  Lister(const RootDir& root, const IdNames& names, const ListOptions& options)
      : root_(root), names_(names), options_(options) {}

  std::vector<EntryInfo> list(UniqueFd top, const std::string& path) && {
    DirStack dirs(std::move(top), DirStack::Mounts::Cross);
    enter(dirs, path);
    while (!levels_.empty()) {
      if (const char* name = levels_.back().names.next()) {
        visit(dirs, name);
      } else {
        levels_.pop_back();
        if (!levels_.empty()) dirs.pop();
      }
    }
    return std::move(entries_);
  }

 private:
  struct Level {
    std::string path;
    DirNames names;
  };

  void enter(const DirStack& dirs, std::string path) {
    const uint64_t left = options_.max_entries - entries_.size();
    levels_.push_back({std::move(path), DirNames(dirs.fd(), DirNames::Order::Lexical, left)});
    entries_.reserve(entries_.size() + levels_.back().names.size());
  }

  void visit(DirStack& dirs, const char* name) {
    struct statx status = {};
    if (!acting::status(dirs.fd(), name, status)) return;  // Vanished meanwhile.
    if (entries_.size() >= options_.max_entries) {
      throw Error(E2BIG, "list", levels_.front().path, "there are more than max_entries");
    }
    entries_.push_back(make_entry(join(levels_.back().path, name), name, status, names_));
    EntryInfo& entry = entries_.back();
    if (S_ISLNK(status.stx_mode)) follow_link(entry, root_);
    if (options_.metadata && !S_ISLNK(status.stx_mode)) {
      entry.metadata = read_metadata_at(dirs.fd(), name);
    }
    const bool deeper = levels_.size() < static_cast<size_t>(options_.depth);
    if (S_ISDIR(status.stx_mode) && deeper) descend(dirs, name, status);
  }

  // Only onto mounts of ours: a listing of "/" names /proc and /dev but does not walk them.
  void descend(DirStack& dirs, const char* name, const struct statx& status) {
    EntryInfo& entry = entries_.back();
    if (!root_.owns_mount(status.stx_mnt_id)) {
      entry.list_error = EXDEV;
      return;
    }
    UniqueFd dir = dirs.open(name);
    if (!dir) {
      entry.list_error = errno;
      if (errno == ENOENT) entries_.pop_back();  // Vanished meanwhile.
      return;
    }
    if (!root_.owns_mount(status_of(dir.get(), entry.path).stx_mnt_id)) return;
    std::string path = entry.path;
    dirs.push(std::move(dir));
    enter(dirs, std::move(path));
  }

  static Metadata read_metadata_at(int dir, const char* name) {
    const UniqueFd entry = acting::open(dir, name, O_PATH | O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
    return entry ? read_metadata(entry.get()) : Metadata();
  }

  const RootDir& root_;
  const IdNames& names_;
  const ListOptions& options_;
  std::vector<Level> levels_;
  std::vector<EntryInfo> entries_;
};

}  // namespace

OpenedFile FileOps::open_for_read(const std::string& path) const {
  if (!owner_.agent_only) {
    OpenedFile own = root_.open_own_file(path, O_RDONLY, owner_.host_uid);
    if (own.fd) return own;
  }
  const FsIdentity as_owner(owner_);
  try {
    return root_.open_file(path, O_RDONLY);
  } catch (const Error& error) {
    if (error.code().value() != EXDEV) throw;
    return root_.copy_of_proc(path);
  }
}

std::optional<EntryInfo> FileOps::stat(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  const std::optional<Resolved> found = root_.find(path, Symlinks::NoFollow);
  if (!found) return std::nullopt;
  EntryInfo entry = make_entry(path, base_name(path), found->status, names_);
  if (S_ISLNK(found->status.stx_mode)) {
    follow_link(entry, root_);
  } else {
    entry.metadata = read_metadata(found->fd.get());
  }
  return entry;
}

bool FileOps::exists(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  return root_.find(path, Symlinks::Follow).has_value();
}

std::vector<EntryInfo> FileOps::list(const std::string& path, const ListOptions& options) const {
  if (options.depth < 1) throw Error(EINVAL, "list", path, "depth should be at least one");
  const FsIdentity as_owner(owner_);
  return Lister(root_, names_, options).list(root_.open_directory(path), path);
}

}  // namespace sandbox
