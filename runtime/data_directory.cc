#include "runtime/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "fs/remove_tree.h"
#include "runtime/base/open_directory.h"
#include "runtime/own_directory.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

std::string default_path(const HostIdentity& identity) {
  // secure_getenv: a set-id host must not be told by its caller where to write.
  if (const char* home = ::secure_getenv("SANDBOX_HOME"); home != nullptr && *home != '\0') {
    return home;
  }
  if (identity.root_caller) return "/var/lib/sandbox";
  if (const char* home = ::secure_getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.local/share/sandbox";
  }
  throw Error(ENOENT, "find", "data directory",
              "set SANDBOX_HOME to a directory of yours; HOME is not set");
}

std::string boxes_path(const DataDirectory& data) { return data.path() + "/boxes"; }

// What a payload left: trees deeper than we may have descriptors, directories that nobody may
// enter; and the mode 000 directory that every overlay makes in its workdir.
void remove_box(const std::filesystem::path& box) {
  const UniqueFd parent = open_directory(box.parent_path());
  remove_tree(parent.get(), box.filename());
}

}  // namespace

std::string DataDirectory::locate(const std::string& configured, const HostIdentity& identity) {
  return std::filesystem::absolute(configured.empty() ? default_path(identity) : configured);
}

DataDirectory::DataDirectory(const std::string& configured, const HostIdentity& identity)
    : path_(locate(configured, identity)), identity_(identity) {
  make_parents(path_);
  make_directory(path_, identity.root_caller ? 0711 : 0700);
  require_own(path_);
}

BoxDirectory::BoxDirectory(const DataDirectory& data) {
  const HostIdentity& owner = data.identity();
  make_directory(boxes_path(data), 0711);
  // Shared with other creators; a collector, who wants it alone, finds no box that is not locked
  // yet.
  const UniqueFd boxes = open_directory(boxes_path(data));
  check(::flock(boxes.get(), LOCK_SH), "flock", boxes_path(data));
  path_ = boxes_path(data) + "/XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) throw Error(errno, "mkdtemp", path_);
  check(::chmod(path_.c_str(), 0700), "chmod", path_);  // As above.
  lock_ = open_directory(path_);
  try_lock(lock_.get(), LOCK_EX);
  for (const char* name : {"/upper", "/work"}) {
    const std::string directory = path_ + name;
    make_directory(directory, 0755);
    if (owner.root_caller) {
      check(::chown(directory.c_str(), owner.uid, owner.gid), "chown", directory);
    }
  }
  // The 0700 parent is all that keeps other users from set-id files that a payload makes.
  if (owner.root_caller) check(::chown(path_.c_str(), owner.uid, owner.gid), "chown", path_);
}

BoxDirectory::~BoxDirectory() {
  if (!lock_) return;
  try {
    remove();
  } catch (const Error&) {
    // What is left is unlocked now, and the next Runtime collects it.
  }
}

void BoxDirectory::remove() {
  const UniqueFd locked = std::move(lock_);
  remove_box(path_);
}

void remove_dead_box(const std::string& path) {
  const UniqueFd box{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (box && try_lock(box.get(), LOCK_EX)) remove_box(path);
}

std::size_t collect_dead_boxes(const DataDirectory& data) {
  const UniqueFd boxes{::open(boxes_path(data).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!boxes && errno == ENOENT) return 0;
  check(boxes.get(), "open", boxes_path(data));
  if (!try_lock(boxes.get(), LOCK_EX)) return 0;  // Somebody creates or collects: another time.
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(boxes_path(data))) {
    try {
      remove_dead_box(entry.path());
    } catch (const Error&) {
      ++left;  // They must not keep their owner from making new sandboxes.
    }
  }
  return left;
}

}  // namespace sandbox
