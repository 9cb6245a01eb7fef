#include "runtime/own_directory.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "sandbox/error.h"

namespace sandbox {

void make_parents(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) throw Error(error.value(), "mkdir", path, "set SANDBOX_HOME to a directory of yours");
}

// The mode is set apart from mkdir, which cuts it by the umask of the host; for a moment the
// directory is narrower than asked, never wider.
bool make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    check(::chmod(path.c_str(), mode), "chmod", path);
    return true;
  }
  if (errno == EEXIST) return false;
  throw Error(errno, "mkdir", path, "set SANDBOX_HOME to a directory you can write to");
}

void require_own(const std::string& path) {
  struct stat status {};
  check(::lstat(path.c_str(), &status), "lstat", path);
  if (!S_ISDIR(status.st_mode)) throw Error(ENOTDIR, "lstat", path, "it must be a real directory");
  if (status.st_uid != ::geteuid()) {
    throw Error(EPERM, "lstat", path,
                "it belongs to another user; set SANDBOX_HOME to a directory of yours");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(EPERM, "lstat", path, "others may write to it; run: chmod go-w on it");
  }
}

bool try_lock(int directory, int operation) {
  if (::flock(directory, operation | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw Error(errno, "flock", "directory");
}

}  // namespace sandbox
