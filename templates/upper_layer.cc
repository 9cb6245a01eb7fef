#include "templates/upper_layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <limits>
#include <utility>

#include "fs/dir_stack.h"
#include "fs/remove_tree.h"
#include "fs/root_dir.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr auto kNoLimit = std::numeric_limits<uint64_t>::max();
// Where from and whether something was copied up: of use to the mount that wrote it, and no other.
constexpr const char* kNotes[] = {"user.overlay.origin", "user.overlay.impure",
                                  "user.overlay.nlink"};

bool is_layer_entry(const struct stat& status) {
  if (S_ISCHR(status.st_mode)) return status.st_rdev == ::makedev(0, 0);
  return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode);
}

class Adoption {
 public:
  explicit Adoption(UniqueFd top) : dirs_(std::move(top), DirStack::Mounts::Stay) {}

  RecordedStatuses run() {
    levels_.push_back({names(), 0});
    drop_notes(dirs_.fd());
    while (!levels_.empty()) {
      if (const char* name = levels_.back().names.next()) {
        visit(name);
      } else {
        leave();
      }
    }
    return std::move(recorded_);
  }

 private:
  struct Level {
    DirNames names;
    std::size_t path_length = 0;
  };

  DirNames names() const { return {dirs_.fd(), DirNames::Order::AsRead, kNoLimit}; }

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
    if (!is_layer_entry(status)) check(::unlinkat(dirs_.fd(), name, 0), "unlinkat", path_);
    if (S_ISREG(status.st_mode)) adopt(name, status, O_RDONLY);
    if (S_ISDIR(status.st_mode)) {
      UniqueFd directory = adopt(name, status, O_RDONLY | O_DIRECTORY);
      dirs_.push(std::move(directory));
      levels_.push_back({names(), path_.size()});
      return;
    }
    path_.resize(length);
  }

  // Found through O_PATH first: its mode may forbid its owner to open it.
  UniqueFd adopt(const char* name, const struct stat& status, int access) {
    const UniqueFd found(::openat(dirs_.fd(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    check(found.get(), "openat", path_);
    const std::string link = fd_path(found.get());
    const mode_t mode = status.st_mode & 07777;
    const mode_t stored = stored_mode(mode, S_ISDIR(status.st_mode));
    if (stored != mode) {
      recorded_[path_] = {.mode = mode};
      check(::chmod(link.c_str(), stored), "chmod", path_);
    }
    UniqueFd opened(::open(link.c_str(), access | O_NONBLOCK | O_CLOEXEC));
    check(opened.get(), "open", path_);
    drop_notes(opened.get());
    return opened;
  }

  static void drop_notes(int fd) {
    for (const char* const note : kNotes) ::fremovexattr(fd, note);  // Most have none.
  }

  DirStack dirs_;
  std::vector<Level> levels_;
  std::string path_;
  RecordedStatuses recorded_;
};

}  // namespace

RecordedStatuses adopt_upper(UniqueFd upper, const std::vector<std::string>& mount_points) {
  for (const std::string& name : mount_points) remove_tree(upper.get(), name);
  return Adoption(std::move(upper)).run();
}

}  // namespace sandbox
