#include "fs/metadata.h"

#include <sys/xattr.h>

#include <algorithm>
#include <string_view>
#include <vector>

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
std::string attribute_names(const std::string& link) {
  const ssize_t size = ::listxattr(link.c_str(), nullptr, 0);
  if (size <= 0) return {};
  std::string names(static_cast<size_t>(size), '\0');
  const ssize_t length = ::listxattr(link.c_str(), names.data(), names.size());
  names.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return names;
}

std::vector<std::string> our_attributes(const std::string& link) {
  std::vector<std::string> ours;
  const std::string names = attribute_names(link);
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

Metadata read_metadata(const std::string& link) {
  Metadata metadata;
  for (const std::string& name : our_attributes(link)) {
    char value[64 << 10];  // XATTR_SIZE_MAX.
    const ssize_t length = ::getxattr(link.c_str(), name.c_str(), value, sizeof value);
    if (length >= 0)
      metadata[name.substr(kPrefix.size())].assign(value, static_cast<size_t>(length));
  }
  return metadata;
}

void replace_metadata(int fd, const Metadata& metadata) {
  if (metadata.empty() && ::flistxattr(fd, nullptr, 0) == 0) return;  // Most files; one call.
  const std::string link = fd_path(fd);
  for (const std::string& name : our_attributes(link)) {
    check(::removexattr(link.c_str(), name.c_str()), "removexattr", name);
  }
  for (const auto& [key, value] : metadata) {
    const std::string name = attribute_name(key);
    check(::setxattr(link.c_str(), name.c_str(), value.data(), value.size(), 0), "setxattr", name);
  }
}

}  // namespace sandbox
