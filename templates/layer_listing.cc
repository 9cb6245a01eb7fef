#include "templates/layer_listing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <climits>
#include <limits>
#include <utility>
#include <vector>

#include "fs/dir_stack.h"
#include "fs/root_dir.h"
#include "sandbox/error.h"
#include "templates/sha256.h"

namespace sandbox {
namespace {

constexpr const char* kOpaque = "user.overlay.opaque";
constexpr std::size_t kLargestXattr = 64 << 10;  // XATTR_SIZE_MAX of the kernel.

std::string read_link(int dir, const char* name) {
  char target[PATH_MAX];
  const ssize_t size = check(::readlinkat(dir, name, target, sizeof target), "readlinkat", name);
  return {target, static_cast<std::size_t>(size)};
}

std::string read_xattr(int fd, const char* name) {
  std::string value(kLargestXattr, '\0');
  value.resize(static_cast<std::size_t>(
      check(::fgetxattr(fd, name, value.data(), value.size()), "fgetxattr", name)));
  return value;
}

// A file system without xattrs has none to tell of.
std::string xattr_names(int fd) {
  const ssize_t size = ::flistxattr(fd, nullptr, 0);
  if (size == 0 || (size < 0 && errno == ENOTSUP)) return {};
  std::string names(static_cast<std::size_t>(check(size, "flistxattr")), '\0');
  names.resize(
      static_cast<std::size_t>(check(::flistxattr(fd, names.data(), names.size()), "flistxattr")));
  return names;
}

// Walks a tree and gives its entries one after the other, names of a directory in byte order.
class LayerWalk {
 public:
  using Visit = std::function<void(LayerEntry)>;

  LayerWalk(UniqueFd tree, const RecordedStatuses& recorded, Visit visit)
      : recorded_(recorded), visit_(std::move(visit)), dirs_(std::move(tree), kStay) {}

  void run() {
    enter(".");
    while (!levels_.empty()) {
      if (const char* name = levels_.back().names.next()) {
        visit(name);
      } else {
        leave();
      }
    }
  }

 private:
  static constexpr auto kStay = DirStack::Mounts::Stay;

  struct Level {
    DirNames names;
    std::size_t path_length = 0;
  };

  void enter(const std::string& path) {
    struct stat status {};
    check(::fstat(dirs_.fd(), &status), "fstat", path);
    LayerEntry entry = make(LayerEntry::Type::Directory, path, status);
    add_xattrs(dirs_.fd(), entry);
    levels_.push_back(
        {DirNames(dirs_.fd(), DirNames::Order::Lexical, std::numeric_limits<uint64_t>::max()),
         path_.size()});
    visit_(std::move(entry));
  }

  void leave() {
    levels_.pop_back();
    if (levels_.empty()) return;
    dirs_.pop();
    path_.resize(levels_.back().path_length);
  }

  void visit(const char* name) {
    const std::size_t length = path_.size();
    if (!path_.empty()) path_ += '/';
    path_ += name;
    struct stat status {};
    check(::fstatat(dirs_.fd(), name, &status, AT_SYMLINK_NOFOLLOW), "fstatat", path_);
    if (S_ISDIR(status.st_mode)) {
      UniqueFd dir = dirs_.open(name);
      check(dir.get(), "openat2", path_);
      dirs_.push(std::move(dir));
      return enter(path_);
    }
    visit_(leaf(name, status));
    path_.resize(length);
  }

  LayerEntry leaf(const char* name, const struct stat& status) {
    if (S_ISREG(status.st_mode)) return file(name, status);
    if (S_ISLNK(status.st_mode)) {
      LayerEntry entry = make(LayerEntry::Type::Symlink, path_, status);
      entry.status.mode = 0777;
      entry.content = read_link(dirs_.fd(), name);
      return entry;
    }
    if (S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(0, 0)) {
      LayerEntry entry;  // Nothing but its name means anything.
      entry.type = LayerEntry::Type::Whiteout;
      entry.path = path_;
      return entry;
    }
    throw Error(EINVAL, "list layer", path_, "a layer has no devices, FIFOs or sockets");
  }

  LayerEntry file(const char* name, const struct stat& status) {
    LayerEntry entry = make(LayerEntry::Type::File, path_, status);
    if (status.st_nlink > 1) {
      const auto [first, is_new] = first_names_.try_emplace(status.st_ino, path_);
      if (!is_new) {
        entry.type = LayerEntry::Type::Hardlink;
        entry.content = first->second;
        return entry;
      }
    }
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const UniqueFd fd(check(::openat(dirs_.fd(), name, kFlags), "openat", path_));
    entry.size = static_cast<uint64_t>(status.st_size);
    entry.content = sha256_of_file(fd.get(), path_);
    add_xattrs(fd.get(), entry);
    return entry;
  }

  LayerEntry make(LayerEntry::Type type, const std::string& path, const struct stat& status) const {
    LayerEntry entry;
    entry.type = type;
    entry.path = path;
    entry.status.mode = status.st_mode & 07777;
    entry.status.modified = status.st_mtim;
    if (const auto at = recorded_.find(path); at != recorded_.end()) {
      entry.status.mode = at->second.mode;
      entry.status.uid = at->second.uid;
      entry.status.gid = at->second.gid;
    }
    return entry;
  }

  // What overlay notes for itself besides opaqueness (origin, impure) says nothing about content.
  void add_xattrs(int fd, LayerEntry& entry) const {
    const std::string names = xattr_names(fd);
    for (std::size_t at = 0; at < names.size();) {
      const std::string name(names.c_str() + at);
      at += name.size() + 1;
      if (name == kOpaque && entry.type == LayerEntry::Type::Directory) {
        entry.type = LayerEntry::Type::Opaque;
      } else if (is_kept_xattr(name)) {
        entry.status.xattrs[name] = read_xattr(fd, name.c_str());
      }
    }
  }

  const RecordedStatuses& recorded_;
  Visit visit_;
  DirStack dirs_;
  std::vector<Level> levels_;
  std::string path_;
  std::map<ino_t, std::string> first_names_;
};

// The statuses that a listing keeps besides the tree.
RecordedStatuses recorded_in(std::string_view listing) {
  RecordedStatuses recorded;
  while (!listing.empty()) {
    const LayerEntry entry = parse_entry(take_entry(listing));
    recorded[entry.path] = {entry.status.mode, entry.status.uid, entry.status.gid};
  }
  return recorded;
}

bool is_directory(const LayerEntry& entry) {
  return entry.type == LayerEntry::Type::Directory || entry.type == LayerEntry::Type::Opaque;
}

}  // namespace

Listing list_layer(UniqueFd tree, const RecordedStatuses& recorded) {
  Listing listing;
  LayerWalk(std::move(tree), recorded, [&](const LayerEntry& entry) {
    listing.text += format_entry(entry);
    ++listing.entries;
    listing.bytes += entry.size;
  }).run();
  listing.digest = sha256_of(listing.text);
  return listing;
}

std::string find_difference(UniqueFd tree, std::string_view listing) {
  // The mode of an entry is compared in the form in which it is stored, its owner not at all.
  const RecordedStatuses recorded = recorded_in(listing);
  std::string difference;
  LayerWalk(std::move(tree), {}, [&](LayerEntry found) {
    if (!difference.empty()) return;
    if (const auto at = recorded.find(found.path); at != recorded.end()) {
      const mode_t stored = stored_mode(at->second.mode, is_directory(found));
      const bool has_mode =
          found.type != LayerEntry::Type::Symlink && found.type != LayerEntry::Type::Whiteout;
      if (has_mode && found.status.mode != stored) difference = "mode of " + found.path;
      found.status.mode = at->second.mode;
      found.status.uid = at->second.uid;
      found.status.gid = at->second.gid;
    }
    const std::string_view expected = take_entry(listing);
    if (!difference.empty() || format_entry(found) == expected) return;
    difference = expected.empty() ? found.path + " is not in the listing"
                                  : "content or status of " + parse_entry(expected).path;
  }).run();
  if (difference.empty() && !listing.empty()) {
    difference = parse_entry(take_entry(listing)).path + " is missing";
  }
  return difference;
}

}  // namespace sandbox
