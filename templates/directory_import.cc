#include "templates/directory_import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <utility>

#include "fs/copy_content.h"
#include "fs/tree_walk.h"
#include "sandbox/error.h"
#include "templates/xattrs.h"

namespace sandbox {
namespace {

EntryStatus status_of(const struct stat& status) {
  return {.mode = status.st_mode & 07777,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .modified = status.st_mtim};
}

class DirectoryImport {
 public:
  DirectoryImport(UniqueFd top, TreeWriter& tree, ImportBudget& budget)
      : walk_(std::move(top), DirStack::Mounts::Cross, DirNames::Order::AsRead),
        tree_(tree),
        budget_(budget) {}

  void run() {
    copy_directory();
    while (walk_.next()) {
      const struct stat& status = walk_.status();
      if (S_ISREG(status.st_mode)) copy_file(status);
      if (S_ISLNK(status.st_mode)) copy_symlink(status);
      if (!walk_.is_directory()) continue;
      walk_.enter(walk_.open());
      copy_directory();
    }
  }

 private:
  void copy_directory() {
    struct stat status {};
    check(::fstat(walk_.dir(), &status), "fstat", walk_.path());
    EntryStatus own = status_of(status);
    own.xattrs = kept_xattrs(walk_.dir(), walk_.path());
    tree_.make_directory(walk_.path(), own);
  }

  void copy_symlink(const struct stat& status) {
    const std::string& path = walk_.path();
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(walk_.dir(), walk_.name(), target, sizeof target);
    check(size, "readlinkat", path);
    tree_.make_symlink(path, {target, static_cast<std::size_t>(size)}, status_of(status));
  }

  void copy_file(const struct stat& looked_at) {
    const std::string& path = walk_.path();
    if (looked_at.st_nlink > 1) {
      const auto [first, is_new] =
          first_names_.try_emplace({looked_at.st_dev, looked_at.st_ino}, path);
      if (!is_new) return tree_.make_hardlink(path, first->second);
    }
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const UniqueFd from(check(::openat(walk_.dir(), walk_.name(), kFlags), "openat", path));
    struct stat status {};
    check(::fstat(from.get(), &status), "fstat", path);
    if (!S_ISREG(status.st_mode)) throw Error(EINVAL, "import", path, "it changed meanwhile");
    const auto size = static_cast<uint64_t>(status.st_size);
    budget_.take_bytes(size, path);
    const UniqueFd to = tree_.make_file(path);
    copy_content(from.get(), to.get(), size, path, [](uint64_t) {});
    EntryStatus own = status_of(status);
    own.xattrs = kept_xattrs(from.get(), path);
    tree_.finish_file(to.get(), path, own);
  }

  TreeWalk walk_;
  TreeWriter& tree_;
  ImportBudget& budget_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

}  // namespace

void import_directory(const std::string& path, TreeWriter& tree, ImportBudget& budget) {
  UniqueFd top(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(top.get(), "open", path);
  DirectoryImport(std::move(top), tree, budget).run();
}

}  // namespace sandbox
