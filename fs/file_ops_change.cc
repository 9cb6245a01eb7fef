#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "fs/acting.h"
#include "fs/dir_stack.h"
#include "fs/file_ops.h"
#include "fs/fs_identity.h"
#include "fs/metadata.h"
#include "fs/remove_tree.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// du(1) for one tree: what is on other mounts does not count.
class UsageCounter {
 public:
  void count(UniqueFd top) {
    DirStack dirs(std::move(top), DirStack::Mounts::Stay);
    levels_.push_back(names_in(dirs));
    while (!levels_.empty()) {
      if (const char* name = levels_.back().next()) {
        visit(dirs, name);
      } else {
        levels_.pop_back();
        if (!levels_.empty()) dirs.pop();
      }
    }
  }

  void add(const struct stat& status) {
    if (S_ISDIR(status.st_mode)) {
      ++usage_.directories;
    } else {
      const std::pair id(status.st_dev, status.st_ino);
      if (status.st_nlink > 1 && !linked_.insert(id).second) return;
      ++usage_.files;
      if (S_ISREG(status.st_mode)) usage_.apparent_bytes += static_cast<uint64_t>(status.st_size);
    }
    usage_.disk_bytes += static_cast<uint64_t>(status.st_blocks) * 512;
  }

  const DiskUsage& usage() const noexcept { return usage_; }

 private:
  static DirNames names_in(const DirStack& dirs) {
    return DirNames(dirs.fd(), DirNames::Order::AsRead, UINT64_MAX);
  }

  void visit(DirStack& dirs, const char* name) {
    struct stat status = {};
    if (!acting::status(dirs.fd(), name, status)) return;
    if (!S_ISDIR(status.st_mode)) return add(status);
    UniqueFd dir = dirs.open(name);
    if (!dir && errno == EXDEV) return;
    add(status);
    if (!dir) return;
    dirs.push(std::move(dir));
    levels_.push_back(names_in(dirs));
  }

  DiskUsage usage_;
  std::vector<DirNames> levels_;
  std::set<std::pair<dev_t, ino_t>> linked_;
};

void apply_status(int fd, const std::string& path, mode_t mode, const timespec& modified) {
  constexpr timespec kKeep = {.tv_sec = 0, .tv_nsec = UTIME_OMIT};
  check(acting::set_times(fd, kKeep, modified), "utimensat", path);
  check(acting::change_mode(fd, mode), "chmod", path);
}

bool has_errno(const Error& error, int value) { return error.code().value() == value; }

}  // namespace

void FileOps::remove(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  try {
    const ParentAndName target = root_.resolve_parent(path);
    remove_tree(target.parent.fd.get(), target.name);
  } catch (const Error& error) {
    if (!has_errno(error, ENOENT)) throw;  // A missing parent: nothing to remove either.
  }
}

// EXDEV comes from another mount, and from overlay for a directory that has a lower layer: without
// redirect_dir, which an unprivileged overlay must not use, it cannot be moved.
bool FileOps::rename(const std::string& from, const std::string& to) const {
  const FsIdentity as_owner(owner_);
  const ParentAndName source = root_.resolve_parent(from);
  const int source_dir = source.parent.fd.get();
  struct stat status = {};
  if (!acting::status(source_dir, source.name.c_str(), status)) throw Error(errno, "rename", from);
  make_parents(to);
  const ParentAndName target = root_.resolve_parent(to);
  const int target_dir = target.parent.fd.get();
  require_no_mount_point(source_dir, source.name);
  require_no_mount_point(target_dir, target.name);
  const int result =
      acting::rename(source_dir, source.name.c_str(), target_dir, target.name.c_str());
  if (result != 0 && errno == EXDEV) return false;
  check(result, "rename", to);
  return true;
}

void FileOps::symlink(const std::string& target, const std::string& path) const {
  if (target.empty() || target.find('\0') != std::string::npos) {
    throw Error(EINVAL, "symlink", path, "its text is empty or contains a NUL byte");
  }
  const FsIdentity as_owner(owner_);
  make_parents(path);
  const ParentAndName link = root_.resolve_parent(path);
  const int result = acting::symlink(target.c_str(), link.parent.fd.get(), link.name.c_str());
  check(result, "symlink", path);
}

void FileOps::chmod(const std::string& path, mode_t mode) const {
  if ((mode & ~mode_t{0777}) != 0) {
    throw Error(EPERM, "chmod", path, "set-id and sticky bits are not set from outside");
  }
  const FsIdentity as_owner(owner_);
  const Resolved found = root_.resolve(path, Symlinks::Follow);
  check(acting::change_mode(found.fd.get(), mode), "chmod", path);
}

void FileOps::chown(const std::string& path, const FileOwner& new_owner) const {
  const FsIdentity as_owner(owner_);
  const Resolved found = root_.resolve(path, Symlinks::Follow);
  check(acting::change_owner(found.fd.get(), new_owner), "chown", path);
}

void FileOps::touch(const std::string& path) const {
  if (!exists(path)) {
    static_cast<void>(create_file(path, O_WRONLY));
    return;
  }
  const FsIdentity as_owner(owner_);
  const Resolved found = root_.resolve(path, Symlinks::Follow);
  constexpr timespec kNow = {.tv_sec = 0, .tv_nsec = UTIME_NOW};
  check(acting::set_times(found.fd.get(), kNow, kNow), "utimensat", path);
}

Metadata FileOps::metadata(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  return read_metadata(root_.resolve(path, Symlinks::Follow).fd.get());
}

void FileOps::set_metadata(int fd, const Metadata& metadata) const {
  const FsIdentity as_owner(owner_);
  replace_metadata(fd, metadata);
}

void FileOps::set_metadata(const std::string& path, const Metadata& metadata) const {
  require_valid(metadata);
  const FsIdentity as_owner(owner_);
  const Resolved found = root_.resolve(path, Symlinks::Follow);
  const mode_t mode = found.status.stx_mode;
  if (!S_ISDIR(mode) && !S_ISREG(mode)) throw_not_a_file(mode, path);
  replace_metadata(found.fd.get(), metadata);
}

void FileOps::set_status(const std::string& path, mode_t mode, const timespec& modified) const {
  const FsIdentity as_owner(owner_);
  const Resolved found = root_.resolve(path, Symlinks::NoFollow);
  if (S_ISLNK(found.status.stx_mode))
    return;  // Swapped meanwhile; its target is not ours to change.
  apply_status(found.fd.get(), path, mode, modified);
}

void FileOps::set_status(int fd, const std::string& path, mode_t mode,
                         const timespec& modified) const {
  const FsIdentity as_owner(owner_);
  apply_status(fd, path, mode, modified);
}

void FileOps::remove_file(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  make_parents(path);
  const ParentAndName target = root_.resolve_parent(path);
  require_no_mount_point(target.parent.fd.get(), target.name);
  const int result = acting::unlink(target.parent.fd.get(), target.name.c_str(), 0);
  if (result != 0 && errno != ENOENT) throw Error(errno, "unlinkat", path);
}

DiskUsage FileOps::disk_usage(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  const Resolved top = root_.resolve(path, Symlinks::NoFollow);
  struct stat status = {};
  check(::fstatat(top.fd.get(), "", &status, AT_EMPTY_PATH), "fstatat", path);
  UsageCounter counter;
  counter.add(status);
  if (S_ISDIR(status.st_mode)) counter.count(root_.open_directory(path));
  return counter.usage();
}

Resolved FileOps::resolve(const std::string& path, Symlinks last) const {
  const FsIdentity as_owner(owner_);
  return root_.resolve(path, last);
}

bool FileOps::is_directory(const std::string& path) const {
  return S_ISDIR(resolve(path, Symlinks::Follow).status.stx_mode);
}

UniqueFd FileOps::open_directory(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  return root_.open_directory(path);
}

UniqueFd FileOps::make_and_open_directory(const std::string& path) const {
  make_dir(path);
  return open_directory(path);
}

ParentAndName FileOps::resolve_parent(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  return root_.resolve_parent(path);
}

}  // namespace sandbox
