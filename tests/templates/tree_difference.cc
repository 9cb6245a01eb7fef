#include "tests/templates/tree_difference.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "sandbox/unique_fd.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 1 << 20;

std::string text_of(const fs::directory_entry& entry) {
  if (entry.is_symlink()) return "-> " + fs::read_symlink(entry.path()).string();
  if (!entry.is_regular_file()) return "/";
  const UniqueFd file(::open(entry.path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return read_to_end(file.get(), entry.path().native(), kLargestFile);
}

std::map<std::string, std::string> user_xattrs(const std::string& path) {
  char names[4096];
  const ssize_t length = ::llistxattr(path.c_str(), names, sizeof names);
  std::map<std::string, std::string> xattrs;
  for (const char* name = names; name < names + length; name += std::string_view(name).size() + 1) {
    if (!std::string_view(name).starts_with("user.")) continue;
    char value[4096];
    const ssize_t size = ::lgetxattr(path.c_str(), name, value, sizeof value);
    xattrs[name] = std::string(value, size < 0 ? 0 : static_cast<std::size_t>(size));
  }
  return xattrs;
}

std::string difference_of(const fs::directory_entry& entry, const std::string& twin) {
  struct stat a {};
  struct stat b {};
  ::lstat(entry.path().c_str(), &a);
  if (::lstat(twin.c_str(), &b) != 0) return "is missing";
  if (a.st_mode != b.st_mode) return "mode";
  if (std::abs(a.st_mtim.tv_sec - b.st_mtim.tv_sec) > 1) return "time";
  if (!entry.is_directory() && a.st_nlink != b.st_nlink) return "links";
  if (!entry.is_symlink() && user_xattrs(entry.path()) != user_xattrs(twin)) return "xattrs";
  return text_of(entry) == text_of(fs::directory_entry(twin)) ? "" : "content";
}

}  // namespace

Content content_of(const std::string& tree) {
  Content content;
  for (const auto& entry : fs::recursive_directory_iterator(tree)) {
    content[entry.path().lexically_relative(tree)] = text_of(entry);
  }
  return content;
}

std::string difference(const std::string& one, const std::string& other) {
  for (const auto& [from, to] : {std::pair(one, other), std::pair(other, one)}) {
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
      const std::string name = entry.path().lexically_relative(from);
      const std::string found = difference_of(entry, to + '/' + name);
      if (!found.empty()) return name + ": " + found;
    }
  }
  return "";
}

}  // namespace sandbox::test
