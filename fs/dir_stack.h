#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// The names in one directory, read in one go: "." and ".." left out.
class DirNames {
 public:
  enum class Order { AsRead, Lexical };

  DirNames() = default;
  /// Reads from the start of `dir`, which is open for reading. Throws Error; E2BIG for more than
  /// `limit` names, because a directory grows as long as somebody fills it.
  DirNames(int dir, Order order, uint64_t limit);

  /// The next one, valid as long as this object is; null after the last.
  const char* next() noexcept { return at_ < offsets_.size() ? &text_[offsets_[at_++]] : nullptr; }
  size_t size() const noexcept { return offsets_.size(); }

 private:
  std::string text_;
  std::vector<uint32_t> offsets_;
  size_t at_ = 0;
};

/// A walk down and up a directory tree that somebody else may be changing, by descriptors.
///
/// Symlinks are never followed. Names of any bytes and trees of any depth are fine: neither paths
/// nor the call stack grow with it, and of the directories above the current one only the nearest
/// 32 keep their descriptor. Others are entered again through "..", and only if that leads to the
/// directory we came from. Acts for whom the thread acts (fs/acting.h).
class DirStack {
 public:
  enum class Mounts { Stay, Cross };

  /// `top` is open for reading.
  DirStack(UniqueFd top, Mounts mounts) : mounts_(mounts) { push(std::move(top)); }

  int fd() const noexcept { return frames_.back().fd.get(); }
  /// 0 for the top.
  size_t depth() const noexcept { return frames_.size() - 1; }

  /// Opens the directory `name` for reading without going there. Empty with errno: ELOOP or ENOTDIR
  /// when it is no directory (any more), EXDEV for a mount point under Mounts::Stay.
  UniqueFd open(const char* name) const;
  /// Goes to `directory`, which open() gave.
  void push(UniqueFd directory);
  /// Goes back up. Throws Error: ESTALE when the directory has been moved meanwhile.
  void pop();

 private:
  struct Frame {
    UniqueFd fd;  ///< Empty while far below.
    dev_t device = 0;
    ino_t inode = 0;
  };
  static constexpr size_t kOpenFrames = 32;

  Mounts mounts_;
  std::vector<Frame> frames_;
};

}  // namespace sandbox
