#include "templates/template_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "runtime/base/kernel_file.h"
#include "runtime/base/open_directory.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::size_t kLargestRecord = 4 << 20;
constexpr const char* kSuffix = ".json";

}  // namespace

std::string TemplateStore::record_path(const std::string& name) const {
  return directory_ + "/names/" + name + kSuffix;
}

std::string TemplateStore::tree_of(const std::string& digest) const {
  return directory_ + "/layers/" + digest + "/tree";
}

std::string TemplateStore::listing_of(const std::string& digest) const {
  return directory_ + "/layers/" + digest + "/listing";
}

UniqueFd TemplateStore::open_tree(const std::string& digest) const {
  return open_directory(tree_of(digest));
}

std::optional<StoredTemplate> TemplateStore::find(const std::string& name) const {
  if (!is_template_name(name)) return std::nullopt;
  const std::string path = record_path(name);
  for (;;) {
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file && errno == ENOENT) return std::nullopt;
    check(file.get(), "open", path);
    check(::flock(file.get(), LOCK_SH), "flock", path);
    struct stat status {};
    check(::fstat(file.get(), &status), "fstat", path);
    // Collected between open and flock: another record has the name by now, or none.
    if (status.st_nlink == 0) continue;
    const std::string text = read_to_end(file.get(), path, kLargestRecord);
    return StoredTemplate{parse_record(text), std::move(file)};
  }
}

std::vector<std::string> TemplateStore::names() const {
  std::vector<std::string> names;
  std::error_code error;
  const std::filesystem::path directory = directory_ + "/names";
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != kSuffix) continue;
    if (std::string name = entry.path().stem(); is_template_name(name)) {
      names.push_back(std::move(name));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(error.value(), "open", directory.string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace sandbox
