#include "templates/directory_import.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <limits>
#include <utility>
#include <vector>

#include "fs/copy_content.h"
#include "fs/dir_stack.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

Xattrs xattrs_of(int fd) {
  Xattrs xattrs;
  const ssize_t length = ::flistxattr(fd, nullptr, 0);
  if (length <= 0) return xattrs;
  std::string names(static_cast<std::size_t>(length), '\0');
  names.resize(
      static_cast<std::size_t>(check(::flistxattr(fd, names.data(), names.size()), "flistxattr")));
  for (std::size_t at = 0; at < names.size();) {
    const std::string name(names.c_str() + at);
    at += name.size() + 1;
    if (!is_kept_xattr(name)) continue;
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    value.resize(static_cast<std::size_t>(check(size, "fgetxattr", name)));
    xattrs[name] = std::move(value);
  }
  return xattrs;
}

EntryStatus status_of(const struct stat& status) {
  return {.mode = status.st_mode & 07777,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .modified = status.st_mtim};
}

class DirectoryImport {
 public:
  DirectoryImport(UniqueFd top, TreeWriter& tree, ImportBudget& budget)
      : dirs_(std::move(top), DirStack::Mounts::Cross), tree_(tree), budget_(budget) {}

  void run() {
    enter();
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

  void enter() {
    struct stat status {};
    check(::fstat(dirs_.fd(), &status), "fstat", path_);
    EntryStatus own = status_of(status);
    own.xattrs = xattrs_of(dirs_.fd());
    tree_.make_directory(path_, own);
    levels_.push_back({DirNames(dirs_.fd(), DirNames::Order::AsRead, kNoLimit), path_.size()});
  }

  void leave() {
    levels_.pop_back();
    if (levels_.empty()) return;
    dirs_.pop();
    path_.resize(levels_.back().path_length);
  }

  void visit(const char* name) {
    const std::size_t length = path_.size();
    path_.append("/").append(name);
    struct stat status {};
    check(::fstatat(dirs_.fd(), name, &status, AT_SYMLINK_NOFOLLOW), "fstatat", path_);
    if (S_ISDIR(status.st_mode)) {
      UniqueFd directory = dirs_.open(name);
      check(directory.get(), "openat2", path_);
      dirs_.push(std::move(directory));
      return enter();
    }
    if (S_ISREG(status.st_mode)) copy_file(name, status);
    if (S_ISLNK(status.st_mode)) copy_symlink(name, status);
    path_.resize(length);
  }

  void copy_symlink(const char* name, const struct stat& status) {
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(dirs_.fd(), name, target, sizeof target);
    check(size, "readlinkat", path_);
    tree_.make_symlink(path_, {target, static_cast<std::size_t>(size)}, status_of(status));
  }

  void copy_file(const char* name, const struct stat& looked_at) {
    if (looked_at.st_nlink > 1) {
      const auto [first, is_new] =
          first_names_.try_emplace({looked_at.st_dev, looked_at.st_ino}, path_);
      if (!is_new) return tree_.make_hardlink(path_, first->second);
    }
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const UniqueFd from(check(::openat(dirs_.fd(), name, kFlags), "openat", path_));
    struct stat status {};
    check(::fstat(from.get(), &status), "fstat", path_);
    if (!S_ISREG(status.st_mode)) throw Error(EINVAL, "import", path_, "it changed meanwhile");
    const auto size = static_cast<uint64_t>(status.st_size);
    budget_.take_bytes(size, path_);
    const UniqueFd to = tree_.make_file(path_);
    copy_content(from.get(), to.get(), size, path_, [](uint64_t) {});
    EntryStatus own = status_of(status);
    own.xattrs = xattrs_of(from.get());
    tree_.finish_file(to.get(), path_, own);
  }

  DirStack dirs_;
  TreeWriter& tree_;
  ImportBudget& budget_;
  std::vector<Level> levels_;
  std::string path_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

}  // namespace

void import_directory(const std::string& path, TreeWriter& tree, ImportBudget& budget) {
  UniqueFd top(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(top.get(), "open", path);
  DirectoryImport(std::move(top), tree, budget).run();
}

}  // namespace sandbox
