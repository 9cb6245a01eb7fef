#include "templates/xattrs.h"

#include <linux/limits.h>
#include <sys/xattr.h>

#include <cerrno>
#include <utility>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// One name after the other, each with its NUL.
std::string names_of(int fd, const std::string& subject) {
  const ssize_t length = ::flistxattr(fd, nullptr, 0);
  if (length == 0 || (length < 0 && errno == ENOTSUP)) return {};
  std::string names(static_cast<std::size_t>(check(length, "flistxattr", subject)), '\0');
  const ssize_t filled = ::flistxattr(fd, names.data(), names.size());
  names.resize(static_cast<std::size_t>(check(filled, "flistxattr", subject)));
  return names;
}

}  // namespace

Xattrs kept_xattrs(int fd, const std::string& subject) {
  Xattrs xattrs;
  const std::string names = names_of(fd, subject);
  for (std::size_t at = 0; at < names.size();) {
    const std::string name(names.c_str() + at);
    at += name.size() + 1;
    if (!is_kept_xattr(name)) continue;
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    value.resize(static_cast<std::size_t>(check(size, "fgetxattr", subject)));
    xattrs[name] = std::move(value);
  }
  return xattrs;
}

bool is_opaque(int fd) noexcept { return ::fgetxattr(fd, "user.overlay.opaque", nullptr, 0) >= 0; }

}  // namespace sandbox
