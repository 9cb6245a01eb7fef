#include "templates/layer_listing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "fs/tree_walk.h"
#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "templates/sha256.h"
#include "templates/xattrs.h"

namespace sandbox {
namespace {

constexpr std::size_t kLargestListing = std::size_t{2} << 30;

std::string read_link(int dir, const char* name) {
  char target[PATH_MAX];
  const ssize_t size = check(::readlinkat(dir, name, target, sizeof target), "readlinkat", name);
  return {target, static_cast<std::size_t>(size)};
}

// Gives the entries of a tree one after the other, names of a directory in byte order.
class LayerWalk {
 public:
  using Visit = std::function<void(LayerEntry)>;

  LayerWalk(UniqueFd tree, const RecordedStatuses& recorded, Visit visit)
      : recorded_(recorded),
        visit_(std::move(visit)),
        walk_(std::move(tree), DirStack::Mounts::Stay, DirNames::Order::Lexical) {}

  void run() {
    visit_(directory());
    while (walk_.next()) {
      if (walk_.is_directory()) {
        walk_.enter(walk_.open());
        visit_(directory());
      } else {
        visit_(leaf());
      }
    }
  }

 private:
  LayerEntry directory() const {
    struct stat status {};
    check(::fstat(walk_.dir(), &status), "fstat", walk_.path());
    const int fd = walk_.dir();
    const auto type = is_opaque(fd) ? LayerEntry::Type::Opaque : LayerEntry::Type::Directory;
    LayerEntry entry = make(type, status);
    entry.status.xattrs = kept_xattrs(fd, walk_.path());
    return entry;
  }

  LayerEntry leaf() {
    const struct stat& status = walk_.status();
    if (S_ISREG(status.st_mode)) return file(status);
    if (S_ISLNK(status.st_mode)) {
      LayerEntry entry = make(LayerEntry::Type::Symlink, status);
      entry.status.mode = 0777;
      entry.content = read_link(walk_.dir(), walk_.name());
      return entry;
    }
    if (S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(0, 0)) {
      LayerEntry entry;  // Nothing but its name means anything.
      entry.type = LayerEntry::Type::Whiteout;
      entry.path = walk_.path();
      return entry;
    }
    throw Error(EINVAL, "list layer", walk_.path(), "a layer has no devices, FIFOs or sockets");
  }

  LayerEntry file(const struct stat& status) {
    const std::string& path = walk_.path();
    LayerEntry entry = make(LayerEntry::Type::File, status);
    if (status.st_nlink > 1) {
      const auto [first, is_new] = first_names_.try_emplace(status.st_ino, path);
      if (!is_new) {
        entry.type = LayerEntry::Type::Hardlink;
        entry.content = first->second;
        return entry;
      }
    }
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const UniqueFd fd(check(::openat(walk_.dir(), walk_.name(), kFlags), "openat", path));
    entry.size = static_cast<uint64_t>(status.st_size);
    entry.content = sha256_of_file(fd.get(), path);
    entry.status.xattrs = kept_xattrs(fd.get(), path);
    return entry;
  }

  LayerEntry make(LayerEntry::Type type, const struct stat& status) const {
    const std::string& path = walk_.path();
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

  const RecordedStatuses& recorded_;
  Visit visit_;
  TreeWalk walk_;
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

std::optional<std::string> read_listing(const TemplateStore& store, const std::string& digest) {
  const std::string path = store.listing_of(digest);
  const UniqueFd file(check(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC), "open", path));
  std::string listing = read_to_end(file.get(), path, kLargestListing);
  if (sha256_of(listing) != digest) return std::nullopt;
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
