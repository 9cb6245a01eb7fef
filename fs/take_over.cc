#include "fs/take_over.h"

#include <fcntl.h>

#include <cerrno>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "fs/acting.h"
#include "fs/dir_stack.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr auto kNoLimit = std::numeric_limits<uint64_t>::max();

class Taker {
 public:
  using OnEntry = std::function<void(const std::string& path, const struct stat&)>;

  Taker(UniqueFd top, const FileOwner& owner, const OnEntry& on_entry)
      : owner_(owner), on_entry_(on_entry), dirs_(std::move(top), DirStack::Mounts::Stay) {}

  void run() {
    check(acting::change_owner(dirs_.fd(), owner_), "fchownat", "top");
    levels_.push_back({names(), 0});
    while (!levels_.empty()) {
      if (const char* name = levels_.back().names.next()) {
        visit(name);
      } else {
        leave();
      }
    }
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
    const struct stat status = status_of(name);
    on_entry_(path_, status);
    take(name, status);
    if (!S_ISDIR(status.st_mode)) {
      path_.resize(length);
      return;
    }
    UniqueFd directory = dirs_.open(name);
    check(directory.get(), "openat2", path_);
    dirs_.push(std::move(directory));
    levels_.push_back({names(), path_.size()});
  }

  // The first of several names of a file changes what the others show.
  struct stat status_of(const char* name) {
    struct stat status {};
    if (!acting::status(dirs_.fd(), name, status)) throw Error(errno, "fstatat", path_);
    if (S_ISDIR(status.st_mode) || status.st_nlink == 1) return status;
    return linked_.emplace(status.st_ino, status).first->second;
  }

  void take(const char* name, const struct stat& status) const {
    const UniqueFd found = acting::open(dirs_.fd(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    check(found.get(), "openat2", path_);
    if (status.st_uid != owner_.host_uid || status.st_gid != owner_.host_gid) {
      check(acting::change_owner(found.get(), owner_), "fchownat", path_);
    }
    if (S_ISDIR(status.st_mode) && (status.st_mode & S_IRWXU) != S_IRWXU) {
      const mode_t mode = (status.st_mode & 07777) | S_IRWXU;
      check(acting::change_mode(found.get(), mode), "chmod", path_);
    }
  }

  const FileOwner& owner_;
  const OnEntry& on_entry_;
  DirStack dirs_;
  std::vector<Level> levels_;
  std::string path_;
  std::map<ino_t, struct stat> linked_;
};

}  // namespace

void take_over(UniqueFd top, const FileOwner& owner,
               const std::function<void(const std::string& path, const struct stat&)>& on_entry) {
  Taker(std::move(top), owner, on_entry).run();
}

}  // namespace sandbox
