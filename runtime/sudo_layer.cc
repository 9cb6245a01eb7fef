#include "runtime/sudo_layer.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "runtime/init_image.h"

namespace sandbox {
namespace {

bool is_something_else(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

Skeleton make_layer() {
  const std::span<const std::byte> image = init_image();
  Skeleton layer = Skeleton::empty();
  layer.add_directory("usr");
  layer.add_directory("usr/bin");
  layer.add_file("usr/bin/sudo",
                 std::string(reinterpret_cast<const char*>(image.data()), image.size()), 0755);
  return layer;
}

}  // namespace

TemplateSource sudo_layer() {
  return {.lowerdirs = {},
          .read_only_trees = {},
          .accounts = Accounts({}, {}),
          .identity = "sudo",
          .fingerprint = init_fingerprint(),
          .make_skeleton = make_layer};
}

bool takes_sudo_layer(const TemplateSource& source) {
  return std::none_of(source.lowerdirs.begin(), source.lowerdirs.end(), [](const HostPath& layer) {
    return is_something_else(layer.path + "/usr") || is_something_else(layer.path + "/usr/bin");
  });
}

}  // namespace sandbox
