#include "templates/upper_layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <utility>

#include "fs/remove_tree.h"
#include "fs/root_dir.h"
#include "fs/tree_walk.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// Where from and whether something was copied up: of use to the mount that wrote it, and no other.
constexpr const char* kNotes[] = {"user.overlay.origin", "user.overlay.impure",
                                  "user.overlay.nlink"};

bool is_layer_entry(const struct stat& status) {
  if (S_ISCHR(status.st_mode)) return status.st_rdev == ::makedev(0, 0);
  return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode);
}

class Adoption {
 public:
  explicit Adoption(UniqueFd top)
      : walk_(std::move(top), DirStack::Mounts::Stay, DirNames::Order::AsRead) {}

  RecordedStatuses run() {
    drop_notes(walk_.dir());
    while (walk_.next()) visit();
    return std::move(recorded_);
  }

 private:
  void visit() {
    const struct stat& status = walk_.status();
    if (!is_layer_entry(status)) {
      check(::unlinkat(walk_.dir(), walk_.name(), 0), "unlinkat", walk_.path());
    }
    if (S_ISREG(status.st_mode)) adopt(O_RDONLY);
    if (walk_.is_directory()) walk_.enter(adopt(O_RDONLY | O_DIRECTORY));
  }

  // Found through O_PATH first: its mode may forbid its owner to open it.
  UniqueFd adopt(int access) {
    const std::string& path = walk_.path();
    const UniqueFd found(::openat(walk_.dir(), walk_.name(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    check(found.get(), "openat", path);
    const std::string link = fd_path(found.get());
    const mode_t mode = walk_.status().st_mode & 07777;
    const mode_t stored = stored_mode(mode, walk_.is_directory());
    if (stored != mode) {
      recorded_[path] = {.mode = mode};
      check(::chmod(link.c_str(), stored), "chmod", path);
    }
    UniqueFd opened(::open(link.c_str(), access | O_NONBLOCK | O_CLOEXEC));
    check(opened.get(), "open", path);
    drop_notes(opened.get());
    return opened;
  }

  static void drop_notes(int fd) {
    for (const char* const note : kNotes) ::fremovexattr(fd, note);  // Most have none.
  }

  TreeWalk walk_;
  RecordedStatuses recorded_;
};

}  // namespace

RecordedStatuses adopt_upper(UniqueFd upper, const std::vector<std::string>& mount_points) {
  for (const std::string& name : mount_points) remove_tree(upper.get(), name);
  return Adoption(std::move(upper)).run();
}

}  // namespace sandbox
