#include "templates/skeleton_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

// A change of what Skeleton writes must not meet directories of an older build.
constexpr std::string_view kFormat = "1";

std::string boot_id() {
  std::string id = read_kernel_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id");
  while (id.ends_with('\n')) id.pop_back();
  return id;
}

std::string hexadecimal(uint64_t number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, number);
  return text.data();
}

// The mode is set apart from mkdir, which cuts it by the umask of the host.
void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) {
    check(::chmod(path.c_str(), 0755), "chmod", path);
  } else if (errno != EEXIST) {
    throw Error(errno, "mkdir", path);
  }
}

void give_to(const std::filesystem::path& root, uid_t uid, gid_t gid) {
  check(::lchown(root.c_str(), uid, gid), "lchown", root.string());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    check(::lchown(entry.path().c_str(), uid, gid), "lchown", entry.path().string());
  }
}

}  // namespace

SkeletonStore::SkeletonStore(std::string directory, uid_t uid, gid_t gid)
    : directory_(std::move(directory)), uid_(uid), gid_(gid) {}

// Not before it is wanted: most processes that use a sandbox do not make one.
const std::string& SkeletonStore::boot_directory() const {
  std::call_once(boot_known_, [this] { boot_ = directory_ + '/' + boot_id(); });
  return boot_;
}

HostPath SkeletonStore::get(const TemplateSource& source) const {
  const std::string& boot = boot_directory();
  const std::string path = boot + '/' + std::string(kFormat) + '-' + source.identity + '-' +
                           hexadecimal(source.fingerprint);
  try {
    return HostPath::look_up(path);
  } catch (const Error& error) {
    if (error.code().value() != ENOENT) throw;
  }
  make_directory(directory_);
  make_directory(boot);
  make(path, source.make_skeleton());
  return HostPath::look_up(path);
}

void SkeletonStore::make(const std::string& path, const Skeleton& skeleton) const {
  std::string draft = path + ".XXXXXX";
  if (::mkdtemp(draft.data()) == nullptr) throw Error(errno, "mkdtemp", draft);
  check(::chmod(draft.c_str(), 0700), "chmod", draft);  // As above.
  const UniqueFd target{
      check(::open(draft.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", draft)};
  skeleton.write(target.get());
  check(::fchmod(target.get(), 0755), "fchmod", draft);
  if (::geteuid() == 0) give_to(draft, uid_, gid_);
  if (::rename(draft.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  std::error_code ignored;
  std::filesystem::remove_all(draft, ignored);
  // Somebody else was faster, with the same content.
  if (error != EEXIST && error != ENOTEMPTY) throw Error(error, "rename", path);
}

}  // namespace sandbox
