#include "fs/tree_walk.h"

#include <cerrno>
#include <limits>
#include <utility>

#include "fs/acting.h"
#include "sandbox/error.h"

namespace sandbox {

TreeWalk::TreeWalk(UniqueFd top, DirStack::Mounts mounts, DirNames::Order order)
    : dirs_(std::move(top), mounts), order_(order) {
  levels_.push_back({list(), 0});
}

DirNames TreeWalk::list() const {
  return {dirs_.fd(), order_, std::numeric_limits<uint64_t>::max()};
}

bool TreeWalk::next() {
  for (;;) {
    path_.resize(levels_.back().path_length);
    name_ = levels_.back().names.next();
    if (name_ != nullptr) break;
    if (levels_.size() == 1) return false;
    levels_.pop_back();
    dirs_.pop();
  }
  if (!path_.empty()) path_ += '/';
  path_ += name_;
  if (!acting::status(dirs_.fd(), name_, status_)) throw Error(errno, "fstatat", path_);
  return true;
}

UniqueFd TreeWalk::open() const {
  UniqueFd directory = dirs_.open(name_);
  check(directory.get(), "openat2", path_);
  return directory;
}

void TreeWalk::enter(UniqueFd directory) {
  dirs_.push(std::move(directory));
  levels_.push_back({list(), path_.size()});
}

}  // namespace sandbox
