#include "fs/root_file_system.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fs/dev_mount.h"
#include "fs/mount_api.h"
#include "fs/overlay_mount.h"
#include "fs/proc_mount.h"
#include "fs/scratch.h"
#include "fs/service_socket.h"
#include "runtime/base/duplicate_fd.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

struct UpperLayer {
  UniqueFd upperdir;
  UniqueFd workdir;
};

UniqueFd open_subdirectory(int directory, const char* name) {
  const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  return UniqueFd(check(::openat(directory, name, flags), "openat", name));
}

UpperLayer open_upper(const RootRequest& request, const Scratch& scratch) {
  if (request.upper_directory) {
    const UniqueFd directory = request.upper_directory->open();
    return {open_subdirectory(directory.get(), "upper"),
            open_subdirectory(directory.get(), "work")};
  }
  if (!scratch.keeps_user_xattrs()) {
    throw Error(EOPNOTSUPP, "fsetxattr", "tmpfs",
                "tmpfs keeps user xattrs from Linux 6.6 on; use a directory for the changes of the "
                "sandbox (Upper::Directory)");
  }
  return {scratch.make_directory("upper", 0755), scratch.make_directory("work", 0755)};
}

UniqueFd mount_root_overlay(const RootRequest& request, const Scratch& scratch) {
  const UpperLayer upper = open_upper(request, scratch);
  std::vector<UniqueFd> lowerdirs;
  for (const HostPath& layer : request.lowerdirs) lowerdirs.push_back(layer.open());
  if (request.tools) lowerdirs.insert(lowerdirs.begin() + 1, request.tools->open());
  const Syncing syncing = request.upper_directory ? Syncing::Never : Syncing::AsUpper;
  UniqueFd root = mount_overlay(lowerdirs, upper.upperdir.get(), upper.workdir.get(), syncing);
  // Over the scratch file system: only a mount of this namespace can carry others.
  check(::move_mount(root.get(), "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH), "move_mount",
        "root");
  return root;
}

// A read-only overlay wants two layers: the tree, and an empty directory below it.
void mount_read_only_trees(int root, const RootRequest& request, int empty) {
  for (const ReadOnlyTree& tree : request.read_only_trees) {
    std::vector<UniqueFd> lowerdirs;
    if (request.tools && tree.target == "usr") {
      lowerdirs.push_back(open_subdirectory(request.tools->open().get(), "usr"));
    }
    lowerdirs.push_back(tree.source.open());
    lowerdirs.push_back(duplicate(empty, "empty"));
    const UniqueFd mount = mount_read_only_overlay(lowerdirs);
    attach_mount(mount.get(), open_mount_target(root, tree.target).get(), tree.target);
  }
}

std::vector<UniqueFd> clone_bind_sources(const std::vector<BindMount>& binds) {
  std::vector<UniqueFd> sources;
  sources.reserve(binds.size());
  for (const BindMount& bind : binds) sources.push_back(clone_bind_source(bind));
  return sources;
}

// What a package manager, a daemon or a careful script looks at, or writes as root; deeper down
// only the content matters. Each is copied up, so there is no file among them that a template's
// author could make huge.
constexpr std::array kOwnedByRoot{
    "/",          "etc",
    "etc/group",  "etc/hostname",
    "etc/hosts",  "etc/nsswitch.conf",
    "etc/passwd", "etc/resolv.conf",
    "home",       "mnt",
    "opt",        "root",
    "run",        "run/lock",
    "srv",        "tmp",
    "usr",        "var",
    "var/cache",  "var/lib",
    "var/log",    "var/tmp",
};

void give_entry_to_root(int root, const char* path) {
  // Off the mounts that lie here already, such as /usr, and off a template's symlinks.
  const UniqueFd entry{openat2(root, path, O_PATH | O_NOFOLLOW,
                               RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)};
  if (!entry && (errno == ENOENT || errno == ENOTDIR || errno == EXDEV || errno == ELOOP)) return;
  check(entry.get(), "openat2", path);
  struct stat status {};
  check(::fstat(entry.get(), &status), "fstat", path);
  if (status.st_uid == 0) return;
  if (::fchownat(entry.get(), "", 0, 0, AT_EMPTY_PATH) == 0) return;
  // A template that belongs to somebody without an id in here: nobody's, then.
  if (errno != EPERM) throw Error(errno, "fchownat", path);
}

uint64_t mount_id(int dir, const char* path) {
  struct statx status {};
  check(::statx(dir, path, AT_EMPTY_PATH, STATX_MNT_ID, &status), "statx", path);
  return status.stx_mnt_id;
}

}  // namespace

void make_mounts_slave() {
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr), "mount(MS_SLAVE)", "/");
}

RootFileSystem::RootFileSystem(const RootRequest& request)
    : request_(request),
      null_(open_null_device()),
      bind_sources_(clone_bind_sources(request.binds)) {}

void RootFileSystem::mount_layers() {
  const ProcFdCwd layers_by_descriptor;
  scratch_.emplace(request_.scratch_size);
  empty_ = scratch_->make_directory("empty", 0555);
  root_ = mount_root_overlay(request_, *scratch_);
  mount_read_only_trees(root_.get(), request_, empty_.get());
}

void RootFileSystem::mount_proc() { mount_hidden_proc(root_.get(), empty_.get(), null_.get()); }

void RootFileSystem::mount_dev() {
  dev_ =
      sandbox::mount_dev(root_.get(), *scratch_, request_.tty_group_mapped, [this](int directory) {
        if (request_.has_sudo) sudo_listener_ = listen_in(directory, kSudoSocket + sizeof("/dev"));
      });
}

void RootFileSystem::close_dev() {
  sandbox::close_dev(dev_.get());
  dev_.reset();
}

void RootFileSystem::give_to_root() {
  for (const char* path : kOwnedByRoot) give_entry_to_root(root_.get(), path);
}

void RootFileSystem::mount_binds() {
  for (std::size_t i = 0; i < request_.binds.size(); ++i) {
    attach_bind(root_.get(), request_.binds[i], bind_sources_[i].get());
  }
}

UniqueFd RootFileSystem::mount_private_proc() const {
  UniqueFd proc = open_private_proc();
  // In the scratch file system, with which it leaves the namespace in enter(). Were it not attached
  // at all, the end of PID 1 would wait for a grace period of RCU more.
  attach_mount(proc.get(), empty_.get(), "private proc");
  return proc;
}

void RootFileSystem::enter() {
  check(::fchdir(root_.get()), "fchdir", "root");
  // Both on one place: the old root ends up on top of the new one, with no directory of the host in
  // between: pivot_root(2).
  check(pivot_root(".", "."), "pivot_root", "root");
  check(::chdir("/"), "chdir", "/");
  if (mount_id(AT_FDCWD, "/") != mount_id(root_.get(), "")) {
    throw Error(EXDEV, "pivot_root", "/", "the new root is not the file system that was mounted");
  }
}

FailedCall drop_old_root(void* /*nothing*/) noexcept {
  // The last component of what umount2(2) is given leads to the topmost mount.
  return failed("umount2(/)", raw_syscall(SYS_umount2, to_argument("/"), MNT_DETACH));
}

void require_bare_root() {
  // ".." of the root shows a mount that still lies over it.
  if (mount_id(AT_FDCWD, "/..") == mount_id(AT_FDCWD, "/")) return;
  throw Error(EXDEV, "umount2", "/", "a mount still lies over the root of the sandbox");
}

void RootRequest::encode(WireWriter& out) const {
  out.u64(lowerdirs.size());
  for (const HostPath& layer : lowerdirs) layer.encode(out);
  out.u64(read_only_trees.size());
  for (const ReadOnlyTree& tree : read_only_trees) {
    tree.source.encode(out);
    out.text(tree.target);
  }
  out.u32(upper_directory ? 1 : 0);
  if (upper_directory) upper_directory->encode(out);
  out.u64(scratch_size.bytes);
  out.u64(scratch_size.inodes);
  out.u64(binds.size());
  for (const BindMount& bind : binds) bind.encode(out);
  out.u32(tty_group_mapped ? 1 : 0);
  out.u32(tools ? 1 : 0);
  if (tools) tools->encode(out);
  out.u32(has_sudo ? 1 : 0);
}

RootRequest RootRequest::decode(WireReader& in) {
  RootRequest request;
  for (uint64_t left = in.u64(); left > 0; --left)
    request.lowerdirs.push_back(HostPath::decode(in));
  for (uint64_t left = in.u64(); left > 0; --left) {
    ReadOnlyTree tree;
    tree.source = HostPath::decode(in);
    tree.target = in.text();
    request.read_only_trees.push_back(std::move(tree));
  }
  if (in.u32() != 0) request.upper_directory = HostPath::decode(in);
  request.scratch_size.bytes = in.u64();
  request.scratch_size.inodes = in.u64();
  for (uint64_t left = in.u64(); left > 0; --left) request.binds.push_back(BindMount::decode(in));
  request.tty_group_mapped = in.u32() != 0;
  if (in.u32() != 0) request.tools = HostPath::decode(in);
  request.has_sudo = in.u32() != 0;
  return request;
}

}  // namespace sandbox
