#include "fs/take_over.h"

#include <fcntl.h>

#include <map>
#include <utility>

#include "fs/acting.h"
#include "fs/tree_walk.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

class Taker {
 public:
  using OnEntry = std::function<void(const std::string& path, const struct stat&)>;

  Taker(UniqueFd top, const FileOwner& owner, const OnEntry& on_entry)
      : owner_(owner),
        on_entry_(on_entry),
        walk_(std::move(top), DirStack::Mounts::Stay, DirNames::Order::AsRead) {}

  void run() {
    check(acting::change_owner(walk_.dir(), owner_), "fchownat", "top");
    while (walk_.next()) {
      const struct stat status = status_before();
      on_entry_(walk_.path(), status);
      take(status);
      if (walk_.is_directory()) walk_.enter(walk_.open());
    }
  }

 private:
  // The first of several names of a file changes what the others show.
  struct stat status_before() {
    const struct stat& status = walk_.status();
    if (walk_.is_directory() || status.st_nlink == 1) return status;
    return linked_.emplace(status.st_ino, status).first->second;
  }

  void take(const struct stat& status) const {
    const std::string& path = walk_.path();
    constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd found = acting::open(walk_.dir(), walk_.name(), kFlags, 0);
    check(found.get(), "openat2", path);
    if (status.st_uid != owner_.host_uid || status.st_gid != owner_.host_gid) {
      check(acting::change_owner(found.get(), owner_), "fchownat", path);
    }
    if (walk_.is_directory() && (status.st_mode & S_IRWXU) != S_IRWXU) {
      const mode_t mode = (status.st_mode & 07777) | S_IRWXU;
      check(acting::change_mode(found.get(), mode), "chmod", path);
    }
  }

  const FileOwner& owner_;
  const OnEntry& on_entry_;
  TreeWalk walk_;
  std::map<ino_t, struct stat> linked_;
};

}  // namespace

void take_over(UniqueFd top, const FileOwner& owner,
               const std::function<void(const std::string& path, const struct stat&)>& on_entry) {
  Taker(std::move(top), owner, on_entry).run();
}

}  // namespace sandbox
