#include <fcntl.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "fs/acting.h"
#include "fs/file_ops.h"
#include "fs/fs_identity.h"
#include "fs/metadata.h"
#include "fs/sandbox_path.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;
constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
constexpr std::string_view kForeignOwner = "it belongs to another user of the sandbox";

// A new entry gets the owner's group even in a set-group-id directory, as E2B has it, and its own
// mode whatever the umask of this process is. The chown is made even when it changes nothing:
// watchers know a file that was written through the API by its create, chmod and write.
void settle_new(int fd, mode_t current, mode_t wanted, const FileOwner& owner,
                const std::string& path) {
  check(acting::change_owner(fd, owner), "fchownat", path);
  if ((current & 07777) != wanted) check(acting::change_mode(fd, wanted), "chmod", path);
}

// mkdirat reports an existing entry; whether that is a directory is for the caller to see.
UniqueFd make_and_enter(int parent, const std::string& name, const FileOwner& owner) {
  const bool is_new = acting::make_directory(parent, name.c_str(), kDirectoryMode) == 0;
  if (!is_new && errno != EEXIST) throw Error(errno, "mkdirat", name);
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
  UniqueFd dir = acting::open(parent, name.c_str(), kFlags, RESOLVE_NO_MAGICLINKS);
  check(dir.get(), "openat2", name);
  if (is_new)
    settle_new(dir.get(), status_of(dir.get(), name).stx_mode, kDirectoryMode, owner, name);
  return dir;
}

}  // namespace

// Most files are the user's own, or new.
std::optional<OpenedFile> FileOps::find_for_write(const std::string& path, int access) const {
  if (!owner_.agent_only) {
    OpenedFile own = root_.open_own_file(path, access, owner_.host_uid);
    if (own.fd) return own;
    if (errno == ENOENT) return std::nullopt;
  }
  const FsIdentity as_owner(owner_);
  return root_.find_file(path, access);
}

PendingFile FileOps::open_for_write(const std::string& path, WriteMode mode,
                                    const Metadata& metadata) const {
  require_valid(metadata);
  if (mode == WriteMode::Atomic) return replace_file(path, std::nullopt, metadata);
  std::optional<OpenedFile> existing = find_for_write(path, O_WRONLY);
  if (!existing) {
    UniqueFd created = create_file(path, O_WRONLY);
    if (!metadata.empty()) set_metadata(created.get(), metadata);
    return PendingFile(std::move(created));
  }
  const struct stat& status = existing->status;
  const int fd = existing->fd.get();
  if (status.st_nlink > 1) return replace_file(path, status.st_mode & 0777, metadata);
  if (status.st_uid != owner_.host_uid || status.st_gid != owner_.host_gid) {
    const FsIdentity as_owner(owner_);
    const int result = acting::change_owner(fd, owner_);
    if (result != 0) throw Error(errno, "fchown", path, kForeignOwner);
  }
  // Root of the host may write without the kernel taking these bits away: write(2), CAP_FSETID.
  if ((status.st_mode & 07000) != 0) {
    const FsIdentity as_owner(owner_);
    check(acting::change_mode(fd, status.st_mode & 0777), "chmod", path);
  }
  if (!metadata.empty() || has_attributes(fd)) set_metadata(fd, metadata);
  if (status.st_size > 0) check(::ftruncate(fd, 0), "ftruncate", path);
  return PendingFile(std::move(existing->fd));
}

UniqueFd FileOps::open_for_append(const std::string& path) const {
  std::optional<OpenedFile> existing = find_for_write(path, O_WRONLY | O_APPEND);
  return existing ? std::move(existing->fd) : create_file(path, O_WRONLY | O_APPEND);
}

// Creates `path` on the root mount or, when it leads to another one, in a parent that is known to
// lie on a mount of ours.
UniqueFd FileOps::try_create(const std::string& path, uint64_t flags) const {
  UniqueFd file =
      acting::open(root_.fd(), path.c_str(), flags, kInRoot | RESOLVE_NO_XDEV, kFileMode);
  if (file || errno != EXDEV) return file;
  make_parents(path);
  const ParentAndName target = root_.resolve_parent(path);
  return acting::open(target.parent.fd.get(), target.name.c_str(), flags | O_EXCL | O_NOFOLLOW,
                      RESOLVE_NO_MAGICLINKS, kFileMode);
}

// O_EXCL, because the caller has just found nothing there, and what is new needs an owner and a
// mode. EEXIST then means that somebody was quicker, or that it is a symlink that leads nowhere:
// the file it names is created, in the root, as open(2) would.
UniqueFd FileOps::create_file(const std::string& path, int access) const {
  const FsIdentity as_owner(owner_);
  const uint64_t flags = static_cast<uint64_t>(access) | O_CREAT | O_NOCTTY | O_NONBLOCK;
  UniqueFd file = try_create(path, flags | O_EXCL);
  if (!file && errno == ENOENT) {
    make_parents(path);
    file = try_create(path, flags | O_EXCL);
  }
  if (!file && errno == EEXIST) file = try_create(path, flags);
  check(file.get(), "openat2", path);
  struct stat status = {};
  check(::fstat(file.get(), &status), "fstat", path);
  if (!S_ISREG(status.st_mode)) throw_not_a_file(status.st_mode, path);
  settle_new(file.get(), status.st_mode, kFileMode, owner_, path);
  return file;
}

PendingFile FileOps::replace_file(const std::string& path, std::optional<mode_t> mode,
                                  const Metadata& metadata) const {
  const FsIdentity as_owner(owner_);
  make_parents(path);
  ParentAndName target = root_.resolve_parent(path);
  require_no_mount_point(target.parent.fd.get(), target.name);
  struct stat old = {};
  const bool found = acting::status(target.parent.fd.get(), target.name.c_str(), old);
  if (found && S_ISDIR(old.st_mode)) throw Error(EISDIR, "write", path);
  if (!mode && found && S_ISREG(old.st_mode)) mode = old.st_mode & 0777;
  PendingFile file(std::move(target), owner_);
  settle_new(file.fd(), 0600, mode.value_or(kFileMode), owner_, path);
  if (!metadata.empty()) replace_metadata(file.fd(), metadata);
  return file;
}

// One component at a time, each made in the directory that is held, so that nothing is made in a
// place where a symlink swapped in meanwhile leads.
void FileOps::make_parents(const std::string& path) const {
  size_t end = path.rfind('/');
  if (end == 0) return;
  std::optional<Resolved> dir;
  while (!dir && end > 0) {
    dir = root_.find(path.substr(0, end), Symlinks::Follow);
    if (!dir) end = path.rfind('/', end - 1);
  }
  UniqueFd parent = dir ? std::move(dir->fd) : root_.resolve("/", Symlinks::Follow).fd;
  while (end < path.rfind('/')) {
    const size_t next = path.find('/', end + 1);
    const std::string name = path.substr(end + 1, next - end - 1);
    if (name == "..") throw Error(ENOENT, "mkdir", path, "'..' below a directory that is missing");
    parent = make_and_enter(parent.get(), name, owner_);
    end = next;
  }
}

bool FileOps::make_dir(const std::string& path) const {
  const FsIdentity as_owner(owner_);
  if (const std::optional<Resolved> found = root_.find(path, Symlinks::Follow)) {
    if (S_ISDIR(found->status.stx_mode)) return false;
    throw Error(ENOTDIR, "mkdir", path, "it exists and is no directory");
  }
  make_parents(path);
  const ParentAndName target = root_.resolve_parent(path);
  make_and_enter(target.parent.fd.get(), target.name, owner_);
  return true;
}

}  // namespace sandbox
