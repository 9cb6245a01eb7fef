#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "runtime/base/kernel_file.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "templates/template_source.h"

namespace sandbox {
namespace {

// The template's author chose what lies there: a symlink to a file of the host, a FIFO that would
// hang us, a device that does something when it is opened, a hundred megabytes. Resolved inside the
// template, and opened only if it is a regular file.
std::string read_inside(int root, const std::string& path) {
  const UniqueFd found{
      openat2(root, path.c_str(), O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)};
  if (!found && (errno == ENOENT || errno == ENOTDIR)) return {};
  check(found.get(), "openat2", path);
  struct stat status {};
  check(::fstat(found.get(), &status), "fstat", path);
  if (!S_ISREG(status.st_mode)) {
    throw Error(EINVAL, "read", path, "in a template this must be a regular file");
  }
  if (status.st_size > static_cast<off_t>(kLargestAccountFile)) {
    throw Error(EFBIG, "read", path, "templates may have 1 MiB of it");
  }
  const std::string same_file = "/proc/self/fd/" + std::to_string(found.get());
  const UniqueFd file{check(::open(same_file.c_str(), O_RDONLY | O_CLOEXEC), "open", path)};
  return read_to_end(file.get(), path, kLargestAccountFile);
}

}  // namespace

TemplateSource directory_template(const std::string& path, NameService names) {
  const UniqueFd root{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  check(root.get(), "open", path);
  TemplateSource source{.lowerdirs = {HostPath::look_up(path)},
                        .read_only_trees = {},
                        .accounts = Accounts(read_inside(root.get(), "etc/passwd"),
                                             read_inside(root.get(), "etc/group")),
                        .identity = {},
                        .fingerprint = 0,
                        .make_skeleton = {}};
  const auto skeleton = std::make_shared<Skeleton>();
  add_generated_files(*skeleton, source.accounts, names);
  // Of this directory and no other: who writes a passwd file whose digest collides with another
  // template's gets nobody's skeleton but his own.
  const HostPath& layer = source.lowerdirs.front();
  source.identity = "dir-" + std::to_string(layer.device) + '-' + std::to_string(layer.inode);
  source.fingerprint = skeleton->digest();
  source.make_skeleton = [skeleton] { return *skeleton; };
  return source;
}

}  // namespace sandbox
