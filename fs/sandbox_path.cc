#include "fs/sandbox_path.h"

#include "sandbox/error.h"

namespace sandbox {
namespace {

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw Error(EINVAL, "path", path, why);
}

std::string anchor(const std::string& path, const FileOwner& owner) {
  if (path.front() == '/') return path;
  const bool tilde = path.front() == '~';
  if (tilde && path.size() > 1 && path[1] != '/') refuse(path, "only ~ and ~/ are known, no ~name");
  if (owner.home.empty()) refuse(path, "it is relative and the user has no home directory");
  return join(owner.home, tilde ? std::string_view(path).substr(1) : std::string_view(path));
}

// Components that say nothing are rare; most paths are taken as they are.
bool is_clean(const std::string& path) {
  return path.find("//") == std::string::npos && path.find("/.") == std::string::npos &&
         (path.back() != '/' || path.size() == 1);
}

}  // namespace

std::string absolute_path(const std::string& path, const FileOwner& owner) {
  if (path.empty()) refuse(path, "it is empty");
  if (path.find('\0') != std::string::npos) refuse(path, "it contains a NUL byte");
  std::string anchored = anchor(path, owner);
  if (is_clean(anchored)) return anchored;
  std::string clean;
  for (size_t begin = 0; begin < anchored.size();) {
    size_t end = anchored.find('/', begin);
    if (end == std::string::npos) end = anchored.size();
    const std::string_view component(anchored.data() + begin, end - begin);
    const bool says_nothing =
        component.empty() || component == "." || (component == ".." && clean.empty());
    if (!says_nothing) clean.append("/").append(component);
    begin = end + 1;
  }
  return clean.empty() ? "/" : clean;
}

std::string base_name(const std::string& path) {
  return path.size() == 1 ? path : path.substr(path.rfind('/') + 1);
}

std::string join(const std::string& directory, std::string_view name) {
  std::string path = directory;
  if (path.empty() || path.back() != '/') path += '/';
  return path.append(name);
}

}  // namespace sandbox
