#include "fs/remove_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "fs/acting.h"
#include "fs/dir_stack.h"
#include "fs/root_dir.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr size_t kMaxDepth = 200'000;
constexpr int kMaxRounds = 16;
constexpr size_t kMaxFoundAgain = 2'000;

// A directory that denies its owner access can be opened only after a chmod, which needs no access.
// It fails for directories of others, and then what follows says EACCES.
void make_accessible(int parent, const char* name) {
  constexpr int kFlags = O_PATH | O_NOFOLLOW | O_DIRECTORY;
  const UniqueFd dir = acting::open(parent, name, kFlags, RESOLVE_NO_MAGICLINKS);
  if (dir) static_cast<void>(acting::change_mode(dir.get(), S_IRWXU));
}

// Who fills a tree faster than it is emptied could keep us for ever: each look would find more than
// the one before.
class Found {
 public:
  void at_first(size_t entries) { at_first_ += entries; }

  void again(size_t entries, const std::string& name) {
    again_ += entries;
    if (again_ <= 2 * at_first_ + kMaxFoundAgain) return;
    throw Error(ENOTEMPTY, "unlinkat", name,
                "it is filled as fast as it is emptied; stop the process that writes there");
  }

 private:
  size_t at_first_ = 0;
  size_t again_ = 0;
};

class Remover {
 public:
  Remover(UniqueFd parent, bool first_try, Found& found)
      : dirs_(std::move(parent), DirStack::Mounts::Stay), first_try_(first_try), found_(found) {}

  void remove(const std::string& name) {
    visit(name.c_str());
    while (!levels_.empty()) {
      if (const char* entry = levels_.back().names.next()) {
        visit(entry);
      } else {
        leave();
      }
    }
  }

 private:
  struct Level {
    std::string name;
    DirNames names;
    int rounds = 0;
  };

  void visit(const char* name) {
    struct statx status = {};
    if (!acting::status(dirs_.fd(), name, status)) {
      if (errno == ENOENT) return;
      throw Error(errno, "statx", name);
    }
    if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
      throw Error(EBUSY, "unlinkat", name, "it is a mount point");
    }
    if (S_ISDIR(status.stx_mode)) {
      enter(name, status.stx_mode);
    } else if (acting::unlink(dirs_.fd(), name, 0) != 0 && errno != ENOENT) {
      throw Error(errno, "unlinkat", name);
    }
  }

  void enter(const char* name, mode_t mode) {
    if (acting::unlink(dirs_.fd(), name, AT_REMOVEDIR) == 0) return;  // It was empty.
    if (levels_.size() >= kMaxDepth) throw Error(E2BIG, "openat", name, "the tree is too deep");
    if ((mode & S_IRWXU) != S_IRWXU) make_accessible(dirs_.fd(), name);
    UniqueFd dir = dirs_.open(name);
    if (!dir) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return;  // The next round sees it.
      throw Error(errno, "openat2", name);
    }
    Level level{name, DirNames(dir.get(), DirNames::Order::AsRead, kUnlimited)};
    if (first_try_) {
      found_.at_first(level.names.size());
    } else {
      found_.again(level.names.size(), name);
    }
    levels_.push_back(std::move(level));
    dirs_.push(std::move(dir));
  }

  // True when the directory was filled again, and emptying it is not hopeless.
  bool begin_another_round(Level& level, int fd) {
    if (++level.rounds >= kMaxRounds) return false;
    level.names = DirNames(fd, DirNames::Order::AsRead, kUnlimited);
    found_.again(level.names.size(), level.name);
    return level.names.size() > 0;
  }

  void leave() {
    const int fd = dirs_.fd();
    if (begin_another_round(levels_.back(), fd)) return;
    dirs_.pop();
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    const int result = acting::unlink(dirs_.fd(), name.c_str(), AT_REMOVEDIR);
    if (result != 0 && errno != ENOENT) throw Error(errno, "unlinkat", name);
  }

  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  DirStack dirs_;
  std::vector<Level> levels_;
  bool first_try_;
  Found& found_;
};

}  // namespace

void remove_tree(int parent, const std::string& name) {
  constexpr int kTries = 8;
  Found found;
  for (int tries = 1;; ++tries) {
    UniqueFd top = acting::reopen(parent, O_RDONLY | O_DIRECTORY);
    check(top.get(), "open", name);
    try {
      return Remover(std::move(top), tries == 1, found).remove(name);
    } catch (const Error& error) {
      if (error.code().value() != ESTALE || tries == kTries) throw;
    }
  }
}

}  // namespace sandbox
