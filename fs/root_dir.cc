#include "fs/root_dir.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string_view>

#include "fs/acting.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

// O_NONBLOCK: a FIFO opens at once, and a file whose holder inside has a lease on it gives EAGAIN
// instead of up to /proc/sys/fs/lease-break-time of waiting. O_NOCTTY: a terminal stays a stranger.
constexpr int kCareful = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

constexpr std::string_view kOtherMount =
    "it lies on /proc, /dev or another mount that is no part of the sandbox's file system";

std::string_view kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "it is a FIFO; only regular files can be read and written";
  if (S_ISSOCK(mode)) return "it is a socket; only regular files can be read and written";
  if (S_ISLNK(mode)) return "it is a symlink; only regular files can be read and written";
  return "it is a device; only regular files can be read and written";
}

std::string_view hint_for(int error) {
  if (error == EXDEV) return kOtherMount;
  if (error == EAGAIN) return "a process in the sandbox holds a lease on it or renames without end";
  return {};
}

[[noreturn]] void throw_open_error(int error, const std::string& path) {
  throw Error(error, "openat2", path, hint_for(error));
}

}  // namespace

std::string fd_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

struct statx status_of(int fd, const std::string& subject) {
  struct statx status = {};
  constexpr unsigned kMask = STATX_BASIC_STATS | STATX_MNT_ID;
  check(::statx(fd, "", AT_EMPTY_PATH, kMask, &status), "statx", subject);
  return status;
}

void require_no_mount_point(int parent, const std::string& name) {
  struct statx status = {};
  if (!acting::status(parent, name.c_str(), status)) return;
  if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
    throw Error(EBUSY, "statx", name, "it is a mount point of the sandbox");
  }
}

void throw_not_a_file(mode_t mode, const std::string& path) {
  if (S_ISDIR(mode)) throw Error(EISDIR, "open", path);
  throw Error(EINVAL, "open", path, kind_of(mode));
}

RootDir::RootDir(UniqueFd root, const std::vector<uint64_t>& volumes)
    : root_(std::move(root)), mounts_(volumes) {
  mounts_.push_back(status_of(root_.get(), "/").stx_mnt_id);
}

bool RootDir::owns_mount(uint64_t mount_id) const noexcept {
  return std::find(mounts_.begin(), mounts_.end(), mount_id) != mounts_.end();
}

Resolved RootDir::require_own(Resolved found, const std::string& path) const {
  if (!owns_mount(found.status.stx_mnt_id)) throw_open_error(EXDEV, path);
  return found;
}

std::optional<Resolved> RootDir::find(const std::string& path, Symlinks last) const {
  const int flags = O_PATH | (last == Symlinks::NoFollow ? O_NOFOLLOW : 0);
  UniqueFd fd = acting::open(root_.get(), path.c_str(), static_cast<uint64_t>(flags), kInRoot);
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) throw_open_error(errno, path);
  const struct statx status = status_of(fd.get(), path);
  return require_own({std::move(fd), status}, path);
}

Resolved RootDir::resolve(const std::string& path, Symlinks last) const {
  std::optional<Resolved> found = find(path, last);
  if (!found) throw_open_error(ENOENT, path);
  return std::move(*found);
}

OpenedFile RootDir::copy_of_proc(const std::string& path) const {
  OpenedFile copy;
  copy.fd = acting::read_proc(root_.get(), path.c_str(), kInRoot);
  if (!copy.fd) throw_open_error(errno, path);
  check(::fstat(copy.fd.get(), &copy.status), "fstat", path);
  copy.status.st_mode = S_IFREG | 0444;
  return copy;
}

// One openat2 and one fstat when the file lies on the root mount itself: the reason for
// RESOLVE_NO_XDEV. That mount is nodev, so no device is opened by this; a FIFO may be, which
// O_NONBLOCK makes harmless, and is refused before it is read. Files on other mounts, of which some
// are not nodev, are looked at through O_PATH first and opened when they are known to be regular.
// Measured against openat+read+close of 4 KiB: this 1.2, always looking first 2.1.
std::optional<OpenedFile> RootDir::find_file(const std::string& path, int access) const {
  OpenedFile file;
  file.fd = acting::open(root_.get(), path.c_str(), static_cast<uint64_t>(access | kCareful),
                         kInRoot | RESOLVE_NO_XDEV);
  if (!file.fd) {
    const int error = errno;
    if (error == ENOENT) return std::nullopt;
    if (error == ENOTDIR) throw_open_error(error, path);
    const std::optional<Resolved> found = find(path, Symlinks::Follow);
    if (!found) return std::nullopt;
    if (!S_ISREG(found->status.stx_mode)) throw_not_a_file(found->status.stx_mode, path);
    if (error == ENXIO)
      throw Error(EINVAL, "openat2", path, "it was a FIFO or socket a moment ago");
    if (error != EXDEV) throw_open_error(error, path);
    file.fd = acting::reopen(found->fd.get(), access | kCareful);
    check(file.fd.get(), "open", path);
  }
  check(::fstat(file.fd.get(), &file.status), "fstat", path);
  if (!S_ISREG(file.status.st_mode)) throw_not_a_file(file.status.st_mode, path);
  return file;
}

OpenedFile RootDir::open_file(const std::string& path, int access) const {
  std::optional<OpenedFile> file = find_file(path, access);
  if (!file) throw_open_error(ENOENT, path);
  return std::move(*file);
}

OpenedFile RootDir::open_own_file(const std::string& path, int access, uid_t owner) const noexcept {
  OpenedFile file;
  const auto flags = static_cast<uint64_t>(access | kCareful);
  file.fd.reset(openat2(root_.get(), path.c_str(), flags, kInRoot | RESOLVE_NO_XDEV));
  if (!file.fd) return file;
  const mode_t needed = (access & O_ACCMODE) == O_RDONLY ? S_IRUSR : S_IWUSR;
  const bool is_own = ::fstat(file.fd.get(), &file.status) == 0 && S_ISREG(file.status.st_mode) &&
                      file.status.st_uid == owner && (file.status.st_mode & needed) != 0;
  if (is_own) return file;
  errno = EACCES;
  return {};
}

UniqueFd RootDir::open_directory(const std::string& path) const {
  const Resolved found = resolve(path, Symlinks::Follow);
  if (!S_ISDIR(found.status.stx_mode)) throw Error(ENOTDIR, "open", path);
  UniqueFd directory = acting::reopen(found.fd.get(), O_RDONLY | O_DIRECTORY);
  check(directory.get(), "open", path);
  return directory;
}

ParentAndName RootDir::resolve_parent(const std::string& path) const {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? end : path.rfind('/', end);
  if (slash == std::string::npos) throw Error(EINVAL, "open", path, "it is the root directory");
  ParentAndName split;
  split.name = path.substr(slash + 1, end - slash);
  if (split.name == "." || split.name == "..") {
    throw Error(EINVAL, "open", path, "its last component has to be a name");
  }
  split.parent = resolve(slash == 0 ? "/" : path.substr(0, slash), Symlinks::Follow);
  if (!S_ISDIR(split.parent.status.stx_mode)) throw Error(ENOTDIR, "open", path);
  return split;
}

// What is no file below a path, such as a deleted one, still gets the name the kernel knows.
std::string RootDir::path_of(int fd) const {
  const auto read_link = [](int of) {
    char buffer[PATH_MAX];
    const std::string link = fd_path(of);
    const ssize_t length = check(::readlink(link.c_str(), buffer, sizeof buffer), "readlink", link);
    return std::string(buffer, static_cast<size_t>(length));
  };
  const std::string root = read_link(root_.get());
  std::string path = read_link(fd);
  if (root != "/" && path.starts_with(root)) path.erase(0, root.size());
  return path.empty() ? "/" : path;
}

}  // namespace sandbox
