#include "templates/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "fs/dir_stack.h"
#include "fs/remove_tree.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kManyNames = 2'000'000;

std::array<timespec, 2> times_of(const EntryStatus& status) {
  return {status.modified, status.modified};
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + '/' + name;
}

// All keys that are `path` or lie below it.
template <typename Map>
void erase_below(Map& map, const std::string& path) {
  map.erase(path);
  map.erase(map.lower_bound(path + '/'), map.lower_bound(path + static_cast<char>('/' + 1)));
}

void set_xattrs(int fd, const std::string& path, const Xattrs& xattrs) {
  for (const auto& [name, value] : xattrs) {
    check(::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0), "fsetxattr", path);
  }
}

}  // namespace

std::string normalised_path(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(std::move(part));
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string result;
  for (const std::string& part : parts) result = joined(result, part);
  return result;
}

TreeWriter::TreeWriter(UniqueFd tree, TreeOwner owner, ImportBudget& budget)
    : root_(std::move(tree)), owner_(owner), give_away_(::geteuid() == 0), budget_(budget) {
  directories_["."] = {.mode = 0755};
}

std::string TreeWriter::admit(const std::string& path) {
  if (path.find('\0') != std::string::npos) throw Error(EINVAL, "import", path);
  budget_.take_entry(path);
  std::string relative = normalised_path(path);
  if (merging_) written_.insert(relative);
  return relative;
}

// Archives name a directory's entries one after the other: one lookup serves them all.
TreeWriter::Parent& TreeWriter::parent_of(const std::string& path, const timespec& modified) {
  const std::size_t slash = path.rfind('/');
  const std::string given = slash == std::string::npos ? std::string() : path.substr(0, slash);
  if (parent_.fd && !parent_is_stale_ && parent_.given == given) return parent_;
  std::optional<Resolved> found = root_.find('/' + given, Symlinks::Follow);
  if (!found) {
    make_missing(given, modified);
    found = root_.resolve('/' + given, Symlinks::Follow);
  }
  if (!S_ISDIR(found->status.stx_mode)) {
    throw Error(ENOTDIR, "import", path, "an entry lies below something that is no directory");
  }
  std::string real = root_.path_of(found->fd.get()).substr(1);
  parent_ = {given, std::move(real), std::move(found->fd)};
  parent_is_stale_ = false;
  return parent_;
}

// Archives may leave out directories; they get the time of what needs them, so that the same
// archive is the same layer.
void TreeWriter::make_missing(const std::string& path, const timespec& modified) {
  std::string above;
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    above = path.substr(0, end);
    if (!root_.find('/' + above, Symlinks::Follow)) {
      make_directory(above, {.mode = 0755, .modified = modified});
    }
  }
}

TreeWriter::Place TreeWriter::place_of(const std::string& path, const timespec& modified) {
  if (path.empty()) throw Error(EINVAL, "import", "/", "the top of a template is a directory");
  Parent& parent = parent_of(path, modified);
  std::string name = path.substr(path.rfind('/') + 1);
  std::string real = joined(parent.path, name);
  return {&parent, std::move(name), std::move(real)};
}

void TreeWriter::make_room(const Place& place) {
  remove_tree(place.parent->fd.get(), place.name);
  forget(place.path);
  // What was removed may have been on the way to the parent that the next entry names.
  parent_is_stale_ = true;
}

void TreeWriter::forget(const std::string& path) {
  erase_below(recorded_, path);
  erase_below(directories_, path);
}

void TreeWriter::record(const std::string& path, const EntryStatus& status, bool directory) {
  const bool shown = stored_mode(status.mode, directory) == status.mode;
  if (shown && status.uid == 0 && status.gid == 0) {
    recorded_.erase(path);
  } else {
    recorded_[path] = {status.mode, status.uid, status.gid};
  }
}

void TreeWriter::make_directory(const std::string& path, const EntryStatus& status) {
  const std::string relative = admit(path);
  if (relative.empty()) {
    directories_["."] = status;
    return record(".", status, true);
  }
  const Place place = place_of(relative, status.modified);
  const int parent = place.parent->fd.get();
  if (::mkdirat(parent, place.name.c_str(), 0700) != 0) {
    if (errno != EEXIST) throw Error(errno, "mkdirat", path);
    struct stat existing {};
    check(::fstatat(parent, place.name.c_str(), &existing, AT_SYMLINK_NOFOLLOW), "fstatat", path);
    if (!S_ISDIR(existing.st_mode)) {
      make_room(place);
      check(::mkdirat(parent, place.name.c_str(), 0700), "mkdirat", path);
    }
  }
  directories_[place.path] = status;
  record(place.path, status, true);
}

UniqueFd TreeWriter::make_file(const std::string& path) {
  const Place place = place_of(admit(path), {});
  constexpr int kFlags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd file(::openat(place.parent->fd.get(), place.name.c_str(), kFlags, 0600));
  if (!file && errno == EEXIST) {
    make_room(place);
    file.reset(::openat(place.parent->fd.get(), place.name.c_str(), kFlags, 0600));
  }
  check(file.get(), "openat", path);
  return file;
}

void TreeWriter::finish_file(int fd, const std::string& path, const EntryStatus& status) {
  const Place place = place_of(normalised_path(path), status.modified);
  set_xattrs(fd, path, status.xattrs);
  // Before the mode: chown(2) clears bits of it.
  if (give_away_) check(::fchown(fd, owner_.uid, owner_.gid), "fchown", path);
  check(::fchmod(fd, stored_mode(status.mode, false)), "fchmod", path);
  check(::futimens(fd, times_of(status).data()), "futimens", path);
  record(place.path, status, false);
}

void TreeWriter::make_symlink(const std::string& path, const std::string& target,
                              const EntryStatus& status) {
  const Place place = place_of(admit(path), status.modified);
  const int parent = place.parent->fd.get();
  const char* const name = place.name.c_str();
  if (::symlinkat(target.c_str(), parent, name) != 0) {
    if (errno != EEXIST) throw Error(errno, "symlinkat", path);
    make_room(place);
    check(::symlinkat(target.c_str(), parent, name), "symlinkat", path);
  }
  if (give_away_) {
    check(::fchownat(parent, name, owner_.uid, owner_.gid, AT_SYMLINK_NOFOLLOW), "fchownat", path);
  }
  check(::utimensat(parent, name, times_of(status).data(), AT_SYMLINK_NOFOLLOW), "utimensat", path);
  EntryStatus recorded = status;
  recorded.mode = 0777;  // A symlink has no other.
  record(place.path, recorded, false);
}

void TreeWriter::make_hardlink(const std::string& path, const std::string& existing) {
  const std::string relative = admit(path);
  const std::string source = normalised_path(existing);
  const Resolved found = root_.resolve('/' + source, Symlinks::NoFollow);
  if (!S_ISREG(found.status.stx_mode)) {
    throw Error(EINVAL, "import", path, "a hard link leads to something that is no regular file");
  }
  const std::string real = root_.path_of(found.fd.get()).substr(1);
  const Place place = place_of(relative, {});
  if (place.path == real) return;
  make_room(place);
  const std::string link = fd_path(found.fd.get());
  check(::linkat(AT_FDCWD, link.c_str(), place.parent->fd.get(), place.name.c_str(),
                 AT_SYMLINK_FOLLOW),
        "linkat", path);
  if (const auto at = recorded_.find(real); at != recorded_.end()) {
    recorded_[place.path] = at->second;
  }
}

void TreeWriter::begin_layer() {
  merging_ = true;
  written_.clear();
}

// True when the current layer has `path` or something below it.
bool TreeWriter::is_new(const std::string& path) const {
  const auto at = written_.lower_bound(path);
  if (at == written_.end()) return false;
  return *at == path || written_.lower_bound(path + '/') != written_.lower_bound(path + '0');
}

void TreeWriter::hide(const std::string& path) {
  budget_.take_entry(path);
  const std::string relative = normalised_path(path);
  if (relative.empty()) throw Error(EINVAL, "import", path, "a whiteout names the top");
  if (!exists(relative)) return;  // A whiteout of nothing.
  if (is_new(relative)) return hide_content(path);
  make_room(place_of(relative, {}));
}

bool TreeWriter::exists(const std::string& path) const {
  try {
    return root_.find('/' + path, Symlinks::NoFollow).has_value();
  } catch (const Error& error) {
    if (error.code().value() != ENOTDIR && error.code().value() != ELOOP) throw;
    return false;
  }
}

void TreeWriter::hide_content(const std::string& path) {
  budget_.take_entry(path);
  const std::string relative = normalised_path(path);
  if (!exists(relative)) return;
  const Resolved found = root_.resolve('/' + relative, Symlinks::NoFollow);
  if (!S_ISDIR(found.status.stx_mode)) return;
  const UniqueFd directory = root_.open_directory('/' + relative);
  DirNames names(directory.get(), DirNames::Order::AsRead, kManyNames);
  while (const char* name = names.next()) {
    const std::string below = joined(relative, name);
    if (is_new(below)) {
      hide_content(below);
    } else {
      make_room(place_of(below, {}));
    }
  }
}

void TreeWriter::finish() {
  for (const auto& [path, status] : directories_) {
    const UniqueFd directory = root_.open_directory('/' + path);
    set_xattrs(directory.get(), path, status.xattrs);
    if (give_away_) check(::fchown(directory.get(), owner_.uid, owner_.gid), "fchown", path);
    check(::fchmod(directory.get(), stored_mode(status.mode, true)), "fchmod", path);
    check(::futimens(directory.get(), times_of(status).data()), "futimens", path);
  }
}

}  // namespace sandbox
