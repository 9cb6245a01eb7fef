#include "runtime/sandboxctl/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

void require_replaceable(const std::string& doing, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  throw Failure(kFailed, {.doing = doing,
                          .subject = path,
                          .reason = "it is there, and no regular file",
                          .hint = "'-' writes to standard output, which the shell may redirect"});
}

}  // namespace

WholeFile::WholeFile(std::string path, std::string doing)
    : path_(std::move(path)), doing_(std::move(doing)) {
  require_replaceable(doing_, path_);
  const std::string directory = directory_of(path_);
  hidden_ = directory + "/.sandboxctl-" + std::to_string(::getpid());
  fd_.reset(::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
  if (fd_) return;
  // Not every file system has O_TMPFILE: open(2).
  fd_.reset(::open(hidden_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
  if (!fd_) throw system_failure(doing_, path_);
  has_name_ = true;
}

WholeFile::~WholeFile() {
  if (has_name_) ::unlink(hidden_.c_str());
}

void WholeFile::commit() {
  if (!has_name_) {
    const std::string file = "/proc/self/fd/" + std::to_string(fd_.get());
    const int linked =
        ::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, hidden_.c_str(), AT_SYMLINK_FOLLOW);
    if (linked != 0) throw system_failure(doing_, path_);
    has_name_ = true;
  }
  if (::rename(hidden_.c_str(), path_.c_str()) != 0) throw system_failure(doing_, path_);
  has_name_ = false;
}

}  // namespace sandboxctl
