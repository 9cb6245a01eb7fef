#include "fs/bind_mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>
#include <string_view>

#include "fs/mount_api.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

bool is_directory(int fd, const std::string& subject) {
  struct stat status {};
  check(::fstat(fd, &status), "fstat", subject);
  return S_ISDIR(status.st_mode);
}

UniqueFd open_directory(int root, const std::string& path) {
  return UniqueFd(openat2(root, path.c_str(), O_PATH | O_DIRECTORY, kInRoot));
}

// One component at a time, each relative to the descriptor of its parent: mkdir by path would
// follow a symlink of the template out of the root (CVE-2024-45310).
UniqueFd make_parents(int root, std::string_view path) {
  UniqueFd directory{check(openat2(root, ".", O_PATH | O_DIRECTORY, kInRoot), "openat2", "/")};
  std::string so_far;
  for (std::size_t slash = 0; (slash = path.find('/')) != std::string_view::npos;
       path.remove_prefix(slash + 1)) {
    if (slash == 0) continue;
    const std::string name(path.substr(0, slash));
    so_far += '/' + name;
    UniqueFd next = open_directory(root, so_far);
    if (!next && errno == ENOENT) {
      check(::mkdirat(directory.get(), name.c_str(), 0755), "mkdirat", so_far);
      next = open_directory(root, so_far);
    }
    check(next.get(), "openat2", so_far);
    directory = std::move(next);
  }
  return directory;
}

void make_target(int root, const std::string& path, bool directory) {
  const UniqueFd parent = make_parents(root, path);
  const std::string name = path.substr(path.rfind('/') + 1);
  if (directory) {
    check(::mkdirat(parent.get(), name.c_str(), 0755), "mkdirat", path);
  } else {
    const int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd file{check(::openat(parent.get(), name.c_str(), flags, 0644), "openat", path)};
  }
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

void require_allowed(const std::string& target) {
  const bool ours = is_at_or_below(target, "/proc") || is_at_or_below(target, "/dev");
  if (target.empty() || target.front() != '/' || target.back() == '/' || ours) {
    throw Error(EINVAL, "mount", target,
                "a mount target is an absolute path without a final '/', not at or below /proc "
                "or /dev");
  }
  // With "..", what is checked and what is resolved could differ.
  if ((target + '/').find("/../") != std::string::npos) {
    throw Error(EINVAL, "mount", target, "a mount target must not contain '..'");
  }
}

// The same for what the target has become after the symlinks of a template. All of /dev, and what
// masks directories of /proc, is one tmpfs; files that are masked look like devices.
void require_not_ours(int root, int target, const std::string& subject) {
  const UniqueFd dev = open_mount_target(root, "dev");
  struct stat of_dev {};
  struct stat status {};
  struct statfs kind {};
  check(::fstat(dev.get(), &of_dev), "fstat", "/dev");
  check(::fstat(target, &status), "fstat", subject);
  check(::fstatfs(target, &kind), "fstatfs", subject);
  const bool ordinary = S_ISDIR(status.st_mode) || S_ISREG(status.st_mode);
  const bool kernels = kind.f_type == PROC_SUPER_MAGIC || kind.f_type == DEVPTS_SUPER_MAGIC;
  if (ordinary && !kernels && status.st_dev != of_dev.st_dev) return;
  throw Error(EINVAL, "mount", subject, "a symlink of the template leads it to /proc or /dev");
}

}  // namespace

UniqueFd clone_bind_source(const BindMount& bind) {
  const UniqueFd source = bind.source.open();
  UniqueFd copy = clone_mount(source.get(), Subtree::Recursive, bind.source.path);
  const uint64_t attributes =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (bind.read_only ? MOUNT_ATTR_RDONLY : 0U);
  add_mount_attributes(copy.get(), attributes, Subtree::Recursive, bind.source.path);
  return copy;
}

void attach_bind(int root, const BindMount& bind, int source) {
  require_allowed(bind.target);
  const bool directory = is_directory(source, bind.source.path);
  UniqueFd target{openat2(root, bind.target.c_str(), O_PATH, kInRoot)};
  if (!target && errno == ENOENT) {
    make_target(root, bind.target, directory);
    target = open_mount_target(root, bind.target);
  }
  check(target.get(), "openat2", bind.target);
  require_not_ours(root, target.get(), bind.target);
  if (is_directory(target.get(), bind.target) != directory) {
    throw Error(directory ? ENOTDIR : EISDIR, "mount", bind.target,
                "a directory can be mounted on a directory only, a file on a file");
  }
  attach_mount(source, target.get(), bind.target);
}

void BindMount::encode(WireWriter& out) const {
  source.encode(out);
  out.text(target);
  out.u32(read_only ? 1 : 0);
}

BindMount BindMount::decode(WireReader& in) {
  BindMount bind;
  bind.source = HostPath::decode(in);
  bind.target = in.text();
  bind.read_only = in.u32() != 0;
  return bind;
}

}  // namespace sandbox
