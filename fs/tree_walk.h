#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <vector>

#include "fs/dir_stack.h"

namespace sandbox {

/// A walk through a tree that nobody changes meanwhile: its entries one after the other, each
/// directory before what is in it.
///
///     while (walk.next()) {
///       if (walk.is_directory()) walk.enter(walk.open());
///     }
///
/// By descriptors, without following symlinks, to any depth: DirStack. Acts for whom the thread
/// acts: fs/acting.h. Throws Error.
class TreeWalk {
 public:
  /// `top` is open for reading.
  TreeWalk(UniqueFd top, DirStack::Mounts mounts, DirNames::Order order);

  /// Goes to the next entry: the first one of a directory that was entered, else the one beside,
  /// else the one after the directory that is done. False when there are no more.
  bool next();

  // Of that entry. `name()` is valid until enter() or next().
  const char* name() const noexcept { return name_; }
  /// Relative to the top; "." before the first next().
  const std::string& path() const noexcept { return path_; }
  const struct stat& status() const noexcept { return status_; }
  bool is_directory() const noexcept { return S_ISDIR(status_.st_mode); }
  /// The directory that it lies in; after enter(), itself.
  int dir() const noexcept { return dirs_.fd(); }

  /// Opens it, a directory, for reading.
  UniqueFd open() const;
  /// Has next() go through it. `directory` is what open() gave.
  void enter(UniqueFd directory);

 private:
  struct Level {
    DirNames names;
    std::size_t path_length = 0;
  };
  DirNames list() const;

  DirStack dirs_;
  DirNames::Order order_;
  std::vector<Level> levels_;
  const char* name_ = nullptr;
  std::string path_{"."};
  struct stat status_ {};
};

}  // namespace sandbox
