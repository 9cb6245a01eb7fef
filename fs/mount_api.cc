#include "fs/mount_api.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// Each read gives one message, "e overlay: …", until ENODATA.
std::string kernel_log(int context) {
  std::string text;
  std::array<char, 512> line{};
  for (ssize_t got = 0; (got = ::read(context, line.data(), line.size())) > 0;) {
    if (!text.empty()) text += "; ";
    text.append(line.data(), static_cast<std::size_t>(got));
    if (text.ends_with('\n')) text.pop_back();
  }
  return text;
}

}  // namespace

FsContext::FsContext(const char* type)
    : type_(type), fd_(check(::fsopen(type, FSOPEN_CLOEXEC), "fsopen", type)) {}

void FsContext::require(int result, const char* call, const std::string& subject) const {
  if (result >= 0) return;
  const int error = errno;
  throw Error(error, call, subject, kernel_log(fd_.get()));
}

void FsContext::set(const char* key, const std::string& value) {
  const int result = ::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0);
  require(result, "fsconfig", std::string(type_) + ' ' + key + '=' + value);
}

void FsContext::set_flag(const char* key) {
  const int result = ::fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key, nullptr, 0);
  require(result, "fsconfig", std::string(type_) + ' ' + key);
}

UniqueFd FsContext::mount(unsigned attributes) {
  require(::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), "fsconfig(CREATE)",
          type_);
  const int mount = ::fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes);
  require(mount, "fsmount", type_);
  return UniqueFd(mount);
}

UniqueFd clone_mount(int fd, Subtree subtree, const std::string& subject) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  if (subtree == Subtree::Recursive) flags |= AT_RECURSIVE;
  return UniqueFd(check(::open_tree(fd, "", flags), "open_tree", subject));
}

void add_mount_attributes(int mount, uint64_t attributes, Subtree subtree,
                          const std::string& subject) {
  mount_attr attr{};
  attr.attr_set = attributes;
  const unsigned flags = AT_EMPTY_PATH | (subtree == Subtree::Recursive ? AT_RECURSIVE : 0U);
  check(::mount_setattr(mount, "", flags, &attr, sizeof(attr)), "mount_setattr", subject);
}

void attach_mount(int mount, int target, const std::string& subject) {
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  check(::move_mount(mount, "", target, "", flags), "move_mount", subject);
}

UniqueFd open_mount_target(int root, const std::string& path) {
  const int fd = openat2(root, path.c_str(), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  return UniqueFd(check(fd, "openat2", path));
}

}  // namespace sandbox
