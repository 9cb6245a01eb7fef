#include "runtime/mount_guard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

// What is not reachable by us is not reachable by what runs with our rights.
std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Goes up from `path` to the root of the host, across symlinks and mounts.
bool lies_in(std::string path, const struct stat& directory) {
  std::optional<struct stat> here = status_of(path);
  if (here && !S_ISDIR(here->st_mode)) {
    path = std::filesystem::path(path).parent_path();
    here = status_of(path);
  }
  while (here) {
    if (same(*here, directory)) return true;
    path += "/..";
    const std::optional<struct stat> above = status_of(path);
    if (above && same(*above, *here)) return false;  // The root is its own parent.
    here = above;
  }
  return false;
}

}  // namespace

void require_not_exposed(const HostPath& source, const std::string& own_directory) {
  const auto own = status_of(own_directory);
  const auto mounted = status_of(source.path);
  if (!own || !mounted) return;
  if (!lies_in(own_directory, *mounted) && !lies_in(source.path, *own)) return;
  throw Error(EPERM, "mount", source.path,
              "it would show the sandbox the layers and control sockets of all sandboxes in " +
                  own_directory + "; mount a directory beside it, or move it with SANDBOX_HOME");
}

}  // namespace sandbox
