#include "fs/metadata.h"

#include <sys/xattr.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/acting.h"
#include "fs/root_dir.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::string_view kPrefix = "user.e2b.";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return is_alphanumeric(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_printable(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string attribute_name(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

// The names of all attributes, each ended by NUL. Nothing where there are none or none can be.
// Needs no rights to the file.
std::string attribute_names(int fd) {
  const std::string link = fd_path(fd);
  const ssize_t size = ::listxattr(link.c_str(), nullptr, 0);
  if (size <= 0) return {};
  std::string names(static_cast<size_t>(size), '\0');
  const ssize_t length = ::listxattr(link.c_str(), names.data(), names.size());
  names.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return names;
}

std::vector<std::string> our_attributes(int fd) {
  std::vector<std::string> ours;
  const std::string names = attribute_names(fd);
  for (size_t begin = 0; begin < names.size();) {
    std::string name(names.c_str() + begin);
    begin += name.size() + 1;
    if (name.starts_with(kPrefix)) ours.push_back(std::move(name));
  }
  return ours;
}

}  // namespace

void require_valid(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (!is_token(key)) throw Error(EINVAL, "metadata", key, "a key has to be an HTTP token");
    if (!is_printable(value)) {
      throw Error(EINVAL, "metadata", key, "a value has to be printable ASCII");
    }
  }
}

bool has_attributes(int fd) noexcept { return ::flistxattr(fd, nullptr, 0) != 0; }

Metadata read_metadata(int fd) {
  Metadata metadata;
  for (const std::string& name : our_attributes(fd)) {
    std::optional<std::string> value = acting::attribute(fd, name.c_str());
    if (value) metadata[name.substr(kPrefix.size())] = std::move(*value);
  }
  return metadata;
}

void replace_metadata(int fd, const Metadata& metadata) {
  for (const std::string& name : our_attributes(fd)) {
    check(acting::remove_attribute(fd, name.c_str()), "removexattr", name);
  }
  for (const auto& [key, value] : metadata) {
    const std::string name = attribute_name(key);
    check(acting::set_attribute(fd, name.c_str(), value), "setxattr", name);
  }
}

}  // namespace sandbox
