#include "fs/tree_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "fs/acting.h"
#include "fs/copy_content.h"
#include "fs/fs_identity.h"
#include "fs/pending_file.h"
#include "runtime/base/duplicate_fd.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kBeneath = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH;

DirStack::Mounts mounts_of(const CopySide& side) {
  return side.root == nullptr ? DirStack::Mounts::Cross : DirStack::Mounts::Stay;
}

struct stat stat_of(int fd, const std::string& path) {
  struct stat status = {};
  check(::fstat(fd, &status), "fstat", path);
  return status;
}

// Mode and times last: a file may be read-only, and writing changes its times.
void apply_status(int fd, const struct stat& status, const std::string& path) {
  check(acting::change_mode(fd, status.st_mode & 0777), "chmod", path);
  check(acting::set_times(fd, status.st_atim, status.st_mtim), "utimensat", path);
}

bool is_gone(int error) { return error == ENOENT || error == ELOOP || error == ENOTDIR; }

}  // namespace

TransferResult TreeCopy::copy_directory(UniqueFd from, UniqueFd to) && {
  const struct stat target = stat_of(to.get(), "");
  target_device_ = target.st_dev;
  target_inode_ = target.st_ino;
  const struct stat status = stat_of(from.get(), "");
  enter(std::move(from), std::move(to), status);
  while (!levels_.empty()) {
    path_.resize(levels_.back().path_length);
    if (const char* name = levels_.back().names.next()) {
      if (!path_.empty()) path_ += '/';
      visit(path_.append(name).c_str() + path_.size() - std::char_traits<char>::length(name));
    } else {
      leave();
    }
  }
  return std::move(result_);
}

TransferResult TreeCopy::copy_file(const OpenedFile& from, ParentAndName to,
                                   const std::string& path) && {
  path_ = path;
  count_entry();
  fill(from, std::move(to));
  return std::move(result_);
}

void TreeCopy::enter(UniqueFd from, UniqueFd to, const struct stat& status) {
  const uint64_t left = options_.max_entries - result_.files - result_.directories;
  levels_.push_back({DirNames(from.get(), DirNames::Order::AsRead, left), status, path_.size()});
  if (from_) {
    from_->push(std::move(from));
    to_->push(std::move(to));
  } else {
    from_.emplace(std::move(from), mounts_of(source_));
    to_.emplace(std::move(to), mounts_of(target_));
  }
  ++result_.directories;
}

void TreeCopy::leave() {
  {
    const MaybeIdentity as_target(target_.owner);
    apply_status(to_->fd(), levels_.back().status, path_);
  }
  levels_.pop_back();
  if (levels_.empty()) return;
  {
    const MaybeIdentity as_source(source_.owner);
    from_->pop();
  }
  const MaybeIdentity as_target(target_.owner);
  to_->pop();
}

// `name` points into path_, which holds still while the entry is copied.
void TreeCopy::visit(const char* name) {
  struct stat status = {};
  {
    const MaybeIdentity as_source(source_.owner);
    if (!acting::status(from_->fd(), name, status)) return;  // Vanished meanwhile.
  }
  if (status.st_dev == target_device_ && status.st_ino == target_inode_) return;  // Into itself.
  count_entry();
  if (S_ISDIR(status.st_mode)) return visit_directory(name);
  if (S_ISREG(status.st_mode)) return visit_file(name);
  if (S_ISLNK(status.st_mode)) return visit_symlink(name);
  skip();
}

void TreeCopy::visit_directory(const char* name) {
  UniqueFd from;
  {
    const MaybeIdentity as_source(source_.owner);
    from = from_->open(name);
  }
  if (!from && errno == EXDEV) return skip();
  if (!from && is_gone(errno)) return;
  check(from.get(), "openat2", path_);
  const struct stat status = stat_of(from.get(), path_);
  const MaybeIdentity as_target(target_.owner);
  UniqueFd to = make_target_directory(name);
  enter(std::move(from), std::move(to), status);
}

// What is no directory makes room for one; only symlinks and files can be in the way.
UniqueFd TreeCopy::make_target_directory(const char* name) {
  for (bool retried = false;; retried = true) {
    const int result = acting::make_directory(to_->fd(), name, 0700);
    if (result != 0 && errno != EEXIST) throw Error(errno, "mkdirat", path_);
    UniqueFd to = to_->open(name);
    if (to || !is_gone(errno) || retried) {
      check(to.get(), "openat2", path_);
      return to;
    }
    require_no_mount_point(to_->fd(), name);
    check(acting::unlink(to_->fd(), name, 0), "unlinkat", path_);
  }
}

void TreeCopy::visit_file(const char* name) {
  OpenedFile file;
  {
    const MaybeIdentity as_source(source_.owner);
    const uint64_t mounts = source_.root == nullptr ? 0 : RESOLVE_NO_XDEV;
    constexpr uint64_t kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    file.fd = acting::open(from_->fd(), name, kFlags, kBeneath | mounts);
  }
  if (!file.fd && errno == EXDEV) return skip();
  if (!file.fd && is_gone(errno)) return;
  file.status = stat_of(check(file.fd.get(), "openat2", path_), path_);
  if (!S_ISREG(file.status.st_mode)) return skip();  // Swapped meanwhile.
  ParentAndName to{.parent = {}, .name = name};
  to.parent.fd = duplicate(to_->fd(), path_);
  fill(file, std::move(to));
}

void TreeCopy::visit_symlink(const char* name) {
  std::optional<std::string> text;
  {
    const MaybeIdentity as_source(source_.owner);
    text = acting::read_link(from_->fd(), name);
  }
  if (!text) return;  // Vanished, or swapped, meanwhile.
  const MaybeIdentity as_target(target_.owner);
  int result = acting::symlink(text->c_str(), to_->fd(), name);
  if (result != 0 && errno == EEXIST) {
    require_no_mount_point(to_->fd(), name);
    check(acting::unlink(to_->fd(), name, 0), "unlinkat", path_);
    result = acting::symlink(text->c_str(), to_->fd(), name);
  }
  check(result, "symlinkat", path_);
  ++result_.symlinks;
}

// The target is made under a hidden name: until it is complete there is the old file, or none.
void TreeCopy::fill(const OpenedFile& from, ParentAndName to) {
  std::optional<FileOwner> owner;
  if (target_.owner != nullptr) owner = *target_.owner;
  std::optional<PendingFile> file;
  {
    const MaybeIdentity as_target(target_.owner);
    require_no_mount_point(to.parent.fd.get(), to.name);
    file.emplace(std::move(to), std::move(owner));
  }
  copy_content(from.fd.get(), file->fd(), static_cast<uint64_t>(from.status.st_size), path_,
               [this](uint64_t bytes) { count_bytes(bytes); });
  {
    const MaybeIdentity as_target(target_.owner);
    apply_status(file->fd(), from.status, path_);
    file->commit();
  }
  ++result_.files;
  count_bytes(0);
}

void TreeCopy::count_entry() {
  if (result_.files + result_.symlinks + result_.directories >= options_.max_entries) {
    throw Error(E2BIG, "copy", path_, "there are more entries than max_entries");
  }
}

void TreeCopy::count_bytes(uint64_t bytes) {
  result_.bytes += bytes;
  if (result_.bytes > options_.max_bytes) {
    throw Error(EFBIG, "copy", path_, "there is more data than max_bytes");
  }
  if (options_.progress) options_.progress({path_, result_.files, result_.bytes});
}

}  // namespace sandbox
