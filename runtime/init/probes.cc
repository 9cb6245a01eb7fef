#include "runtime/init/probes.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <span>

#include "fs/mount_api.h"
#include "fs/overlay_mount.h"
#include "fs/proc_mount.h"
#include "isolation/id_map.h"
#include "runtime/base/kernel_file.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

constexpr uid_t kNobody = 65534;

// What an unprivileged user may do is what matters, also to root: the launcher gives root up before
// it makes namespaces.
void give_up_root() {
  if (::geteuid() != 0) return;
  check(::setgroups(0, nullptr), "setgroups");
  check(::setresgid(kNobody, kNobody, kNobody), "setresgid");
  check(::setresuid(kNobody, kNobody, kNobody), "setresuid");
  // Changing ids gave /proc/self to root, and with it our maps: proc(5).
  check(::prctl(PR_SET_DUMPABLE, 1), "prctl(PR_SET_DUMPABLE)");
}

void enter_user_namespace(int more_namespaces) {
  const IdMap map = IdMap::self({.uid = 0, .gid = 0});  // Our ids mean nothing in there.
  check(::unshare(CLONE_NEWUSER), "unshare", "CLONE_NEWUSER");
  const UniqueFd self{
      check(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/proc/self")};
  map.write(self.get());
  // AppArmor lets the namespace be made and takes the capabilities away: this is then EPERM.
  check(::unshare(CLONE_NEWNS | more_namespaces), "unshare", "CLONE_NEWNS");
}

std::string user_namespace(const std::string&) {
  give_up_root();
  enter_user_namespace(0);
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr), "mount", "/");
  check(::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, nullptr), "mount", "tmpfs");
  return "works, with id maps and a mount";
}

std::string system_calls(const std::string&) {
  const UniqueFd pidfd{
      check(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)), "pidfd_open")};
  const UniqueFd root{
      check(openat2(AT_FDCWD, "/", O_PATH | O_CLOEXEC, RESOLVE_NO_MAGICLINKS), "openat2", "/")};
  check(::syscall(SYS_close_range, ~0U, ~0U, 0), "close_range");
  clone_args args{};
  args.exit_signal = SIGCHLD;
  const pid_t child = check(clone3(args), "clone3");
  if (child == 0) ::_exit(0);
  check(::waitpid(child, nullptr, 0), "waitpid");
  return "clone3, pidfd_open, openat2 and close_range work";
}

std::string mount_api(const std::string&) {
  give_up_root();
  enter_user_namespace(0);
  const UniqueFd mount = FsContext("tmpfs").mount(MOUNT_ATTR_NOSUID);
  add_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY, Subtree::Only, "tmpfs");
  const UniqueFd target{check(::open("/", O_PATH | O_CLOEXEC), "open", "/")};
  attach_mount(mount.get(), target.get(), "/");
  return "fsopen, mount_setattr and move_mount work";
}

// True in a child, which goes on and reports; false in the caller's process when that has ended.
bool continue_in_child() {
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    check(::prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl(PR_SET_PDEATHSIG)");
    return true;
  }
  ::waitpid(child, nullptr, 0);
  return false;
}

std::string fresh_proc(const std::string&) {
  give_up_root();
  enter_user_namespace(CLONE_NEWPID);
  if (!continue_in_child()) ::_exit(0);  // The child is the first process of the pid namespace.
  open_private_proc();
  return "can be mounted in a new pid namespace";
}

struct OverlayDirectories {
  UniqueFd lower;
  UniqueFd upper;
  UniqueFd work;
};

UniqueFd make_directory(int parent, const char* name) {
  check(::mkdirat(parent, name, 0700), "mkdir", name);
  return UniqueFd{check(::openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC), "open", name)};
}

// Removing a directory of the template and making it anew needs a whiteout and an xattr, which is
// what a tmpfs before Linux 6.6 and NFS cannot keep.
void use_overlay(int parent) {
  OverlayDirectories dirs{.lower = make_directory(parent, "lower"),
                          .upper = make_directory(parent, "upper"),
                          .work = make_directory(parent, "work")};
  make_directory(dirs.lower.get(), "directory");
  const ProcFdCwd cwd;
  const UniqueFd overlay =
      mount_overlay(std::span(&dirs.lower, 1), dirs.upper.get(), dirs.work.get(), Syncing::Never);
  check(::unlinkat(overlay.get(), "directory", AT_REMOVEDIR), "rmdir", "overlay");
  check(::mkdirat(overlay.get(), "directory", 0700), "mkdir", "overlay");
}

std::string overlay_in_memory(const std::string&) {
  give_up_root();
  enter_user_namespace(0);
  // Attached, because an overlay does not take layers of a mount that nobody can see.
  check(::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, nullptr), "mount", "tmpfs");
  const UniqueFd scratch{check(::open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/tmp")};
  use_overlay(scratch.get());
  return "works, with the changes in memory";
}

// A directory for whoever we are without root. Its maker removes it, empty.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& parent)
      : path_(parent + "/.probe-" + std::to_string(::getpid())) {
    check(::mkdir(path_.c_str(), 0700), "mkdir", parent);
    if (::geteuid() == 0) check(::chown(path_.c_str(), kNobody, kNobody), "chown", path_);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { remove(); }

  const std::string& path() const noexcept { return path_; }
  void remove() const noexcept { ::rmdir(path_.c_str()); }

 private:
  std::string path_;
};

// Empties a directory from within the user namespace, whose root may enter the overlay's work
// directory (mode 000).
class EmptyAtEnd {
 public:
  explicit EmptyAtEnd(const std::string& path) noexcept : path_(path) {}
  EmptyAtEnd(const EmptyAtEnd&) = delete;
  EmptyAtEnd& operator=(const EmptyAtEnd&) = delete;
  ~EmptyAtEnd() {
    std::error_code ignored;
    for (const char* name : {"/lower", "/upper", "/work"}) {
      std::filesystem::remove_all(path_ + name, ignored);
    }
  }

 private:
  const std::string& path_;
};

std::string overlay_in_directory(const std::string& parent) {
  const ScratchDirectory scratch(parent);
  if (!continue_in_child()) {
    scratch.remove();
    ::_exit(0);
  }
  give_up_root();
  enter_user_namespace(0);
  const EmptyAtEnd empty(scratch.path());
  // Opened only now: a layer must lie in the mount namespace of the overlay.
  const UniqueFd directory{check(::open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC),
                                 "open", scratch.path())};
  use_overlay(directory.get());
  return "works in " + parent;
}

std::string network_namespace(const std::string&) {
  give_up_root();
  enter_user_namespace(CLONE_NEWNET);
  const UniqueFd socket{check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")};
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof("lo"));
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  check(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "ioctl(SIOCSIFFLAGS)", "lo");
  return "works, lo is up";
}

std::string seccomp_filter(const std::string&) {
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
  // getppid fails with ENOSYS from now on, all else is allowed.
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  check(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
  if (::syscall(SYS_getppid) != -1) throw Error(EOPNOTSUPP, "seccomp", "the filter has no effect");
  return "filters work";
}

std::string landlock(const std::string&) {
  constexpr unsigned kAskVersion = 1;  // LANDLOCK_CREATE_RULESET_VERSION
  const long abi = check(::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion),
                         "landlock_create_ruleset");
  return "ABI " + std::to_string(abi);
}

struct NamedProbe {
  std::string_view name;
  std::string (*run)(const std::string& argument);
};

constexpr NamedProbe kProbes[] = {
    {"user-namespace", user_namespace},
    {"system-calls", system_calls},
    {"mount-api", mount_api},
    {"proc", fresh_proc},
    {"overlay-in-memory", overlay_in_memory},
    {"overlay-in-directory", overlay_in_directory},
    {"network-namespace", network_namespace},
    {"seccomp", seccomp_filter},
    {"landlock", landlock},
};

}  // namespace

ProbeResult run_probe(std::string_view name, const std::string& argument) try {
  for (const NamedProbe& probe : kProbes) {
    if (probe.name == name) return {.error = 0, .text = probe.run(argument)};
  }
  return {.error = EINVAL, .text = "no such probe"};
} catch (const Error& error) {
  return {.error = error.code().value(), .text = error.what()};
}

void report_probe(std::string_view name, const std::string& argument) {
  const ProbeResult result = run_probe(name, argument);
  const std::string line = std::to_string(result.error) + ' ' + result.text + '\n';
  write_all(STDOUT_FILENO, std::as_bytes(std::span(line)), "stdout");
}

}  // namespace sandbox
