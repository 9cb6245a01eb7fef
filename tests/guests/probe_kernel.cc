#include <fcntl.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "tests/guests/probe.h"

namespace probe {
namespace {

struct Kind {
  const char* name;
  unsigned long flag;
};

constexpr Kind kKinds[] = {
    {"user", CLONE_NEWUSER},     {"mnt", CLONE_NEWNS},    {"pid", CLONE_NEWPID},
    {"net", CLONE_NEWNET},       {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},
    {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

// In a child, so that one success does not change what the next attempt meets.
template <typename Attempt>
void tell_of_child(const char* call, const char* kind, Attempt attempt) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    char what[128];
    std::snprintf(what, sizeof(what), "%s(%s)", call, kind);
    tell(what, attempt());
    std::fflush(stdout);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

// The new process ends at once; we only want to know whether there is one.
long end_child(long pid) {
  if (pid == 0) ::_exit(0);
  if (pid > 0) ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return pid;
}

}  // namespace

int try_namespaces(Words) {
  for (const Kind& kind : kKinds) {
    tell_of_child("unshare", kind.name, [&] { return ::unshare(static_cast<int>(kind.flag)); });
    tell_of_child("unshare-with-user", kind.name,
                  [&] { return ::unshare(static_cast<int>(kind.flag | CLONE_NEWUSER)); });
    // NEWTIME shares its bit with the exit signal here: clone(2) cannot make one.
    if (kind.flag != CLONE_NEWTIME) {
      tell_of_child("clone", kind.name, [&] {
        return end_child(::syscall(SYS_clone, kind.flag | SIGCHLD, 0L, 0L, 0L, 0L));
      });
      // Noise in the upper half, which the kernel ignores: CVE-2019-10063.
      tell_of_child("clone-high-bits", kind.name, [&] {
        return end_child(
            ::syscall(SYS_clone, kind.flag | SIGCHLD | 0xff00000000UL, 0L, 0L, 0L, 0L));
      });
    }
    tell_of_child("clone3", kind.name, [&] {
      struct clone_args arguments = {};
      arguments.flags = kind.flag;
      arguments.exit_signal = SIGCHLD;
      return end_child(::syscall(SYS_clone3, &arguments, sizeof(arguments)));
    });
  }
  return 0;
}

int try_setns(Words words) {
  const char* const owners[] = {"self", "1"};
  for (const char* const owner : owners) {
    for (const char* const kind : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
      char path[64];
      std::snprintf(path, sizeof(path), "/proc/%s/ns/%s", owner, kind);
      const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
      if (fd < 0) {
        tell(path, -1);
        continue;
      }
      tell_of_child("setns", path, [&] { return ::setns(fd, 0); });
      ::close(fd);
    }
  }
  // A host process that the caller left a descriptor of, if it did: none.
  for (int i = 0; i < words.count; ++i) {
    tell_of_child("setns", words.at[i], [&] { return ::setns(std::atoi(words.at[i]), 0); });
  }
  return 0;
}

int try_mounts(Words) {
  ::mkdir("/tmp/m", 0755);
  tell("mount(tmpfs)", ::mount("none", "/tmp/m", "tmpfs", 0, nullptr));
  tell("mount(proc)", ::mount("none", "/tmp/m", "proc", 0, nullptr));
  tell("mount(bind)", ::mount("/", "/tmp/m", nullptr, MS_BIND | MS_REC, nullptr));
  tell("mount(remount)", ::mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND, nullptr));
  tell("mount(move)", ::mount("/dev", "/tmp/m", nullptr, MS_MOVE, nullptr));
  tell("mount(propagation)", ::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr));
  tell("umount(mask)", ::umount2("/proc/kcore", MNT_DETACH));
  tell("umount(sys)", ::umount2("/proc/sys", MNT_DETACH));
  tell("umount(root)", ::umount2("/", MNT_DETACH));
  tell("fsopen", ::syscall(SYS_fsopen, "tmpfs", 0));
  tell("fspick", ::syscall(SYS_fspick, AT_FDCWD, "/proc", 0));
  tell("fsconfig", ::syscall(SYS_fsconfig, -1, 0, nullptr, nullptr, 0));
  tell("fsmount", ::syscall(SYS_fsmount, -1, 0, 0));
  tell("open_tree", ::syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE));
  tell("move_mount", ::syscall(SYS_move_mount, AT_FDCWD, "/dev", AT_FDCWD, "/tmp/m", 0));
  struct mount_attr attributes = {};
  attributes.attr_clr = MOUNT_ATTR_RDONLY;
  tell("mount_setattr",
       ::syscall(SYS_mount_setattr, AT_FDCWD, "/proc/sys", 0, &attributes, sizeof(attributes)));
  tell("pivot_root", ::syscall(SYS_pivot_root, "/tmp/m", "/tmp/m"));
  tell("chroot", ::chroot("/tmp"));
  ::rmdir("/tmp/m");
  return 0;
}

int try_handles(Words) {
  alignas(file_handle) unsigned char bytes[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* const handle = reinterpret_cast<file_handle*>(bytes);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  tell("name_to_handle_at", ::syscall(SYS_name_to_handle_at, AT_FDCWD, "/", handle, &mount_id, 0));
  // The root of ext4 is inode 2, of xfs often 128: what CVE-less escapes of early Docker guessed.
  handle->handle_bytes = 8;
  handle->handle_type = 1;
  bytes[sizeof(file_handle)] = 2;
  const int root = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  tell("open_by_handle_at", ::syscall(SYS_open_by_handle_at, root, handle, O_RDONLY));
  return 0;
}

int try_execution_domains(Words) {
  constexpr unsigned kReadImpliesExec = 0x0400000;
  constexpr unsigned kNoRandomize = 0x0040000;
  tell("personality(READ_IMPLIES_EXEC)", ::personality(kReadImpliesExec));
  tell("personality(ADDR_NO_RANDOMIZE)", ::personality(kNoRandomize));
  tell("personality(query)", ::personality(0xffffffff));
  char entry[16] = {};
  tell("modify_ldt", ::syscall(SYS_modify_ldt, 1, entry, sizeof(entry)));
  tell("iopl", ::syscall(SYS_iopl, 3));
  tell("ioperm", ::syscall(SYS_ioperm, 0x80, 1, 1));
  tell("ptrace(TRACEME)", ::syscall(SYS_ptrace, 0, 0, 0, 0));
  tell("process_vm_readv", ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0));
  tell("pidfd_getfd", ::syscall(SYS_pidfd_getfd, ::syscall(SYS_pidfd_open, 1, 0), 0, 0));
  tell("keyctl", ::syscall(SYS_keyctl, 0, -3, 0, 0, 0));
  tell("add_key", ::syscall(SYS_add_key, "user", "probe", "x", 1UL, -3));
  tell("bpf", ::syscall(SYS_bpf, 0, nullptr, 0));
  tell("perf_event_open", ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0));
  tell("userfaultfd", ::syscall(SYS_userfaultfd, 1));
  tell("io_uring_setup", ::syscall(SYS_io_uring_setup, 1, nullptr));
  tell("prctl(SET_SECUREBITS)", ::prctl(PR_SET_SECUREBITS, 0));
  tell("prctl(KEEPCAPS)", ::prctl(PR_SET_KEEPCAPS, 1));
  return 0;
}

int try_loosening_filters(Words) {
  sock_filter allow_all[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  sock_fprog program = {.len = 1, .filter = allow_all};
  tell("seccomp(NEW_LISTENER)",
       ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
  tell("seccomp(TSYNC)",
       ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program));
  tell("prctl(allow all)", ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
  tell("prctl(disable)", ::prctl(PR_SET_SECCOMP, 0));
  tell("prctl(NO_NEW_PRIVS=0)", ::prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  // What the filters of everybody before us say still holds.
  tell("unshare after that", ::unshare(CLONE_NEWUSER));
  return 0;
}

/// Types into the terminals it finds: stdin and a pty of its own.
int try_terminals(Words) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  tell("openpt", master);
  if (master >= 0) ::unlockpt(master);
  const int slave = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  ::ioctl(slave, TIOCSCTTY, 0);
  for (const int fd : {STDIN_FILENO, slave}) {
    const char* const whose = fd == STDIN_FILENO ? "stdin" : "own";
    char what[48];
    const auto attempt = [&](const char* name, unsigned long request, void* argument) {
      std::snprintf(what, sizeof(what), "%s(%s)", name, whose);
      tell(what, ::syscall(SYS_ioctl, fd, request, argument));
    };
    char letter = 'x';
    int number = 0;
    attempt("TIOCSTI", TIOCSTI, &letter);
    attempt("TIOCSTI-high-bits", TIOCSTI | (1UL << 32), &letter);
    attempt("TIOCLINUX", TIOCLINUX, &letter);
    attempt("TIOCSETD", TIOCSETD, &number);
    attempt("TIOCCONS", TIOCCONS, nullptr);
  }
  tell("isatty(stdin)", ::isatty(0) == 1 ? 0 : -1);
  const int controlling = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  tell("open(/dev/tty)", controlling);
  return 0;
}

/// Makes device nodes, in the directories it is given.
int try_devices(Words words) {
  for (int i = 0; i < words.count; ++i) {
    char path[256];
    std::snprintf(path, sizeof(path), "%s/node", words.at[i]);
    const auto attempt = [&](const char* name, mode_t kind, dev_t device) {
      char what[300];
      std::snprintf(what, sizeof(what), "%s(%s)", name, words.at[i]);
      tell(what, ::mknod(path, kind | 0600, device));
      ::unlink(path);
    };
    attempt("fifo", S_IFIFO, 0);
    attempt("null", S_IFCHR, ::makedev(1, 3));
    attempt("kmsg", S_IFCHR, ::makedev(1, 11));
    attempt("disk", S_IFBLK, ::makedev(8, 0));
  }
  return 0;
}

int read_kernel_memory(Words) {
  for (const char* const path : {"/proc/kcore",
                                 "/proc/kallsyms",
                                 "/proc/keys",
                                 "/proc/key-users",
                                 "/proc/kmsg",
                                 "/proc/timer_list",
                                 "/proc/interrupts",
                                 "/proc/config.gz",
                                 "/proc/modules",
                                 "/proc/sched_debug",
                                 "/proc/latency_stats",
                                 "/proc/sysrq-trigger",
                                 "/proc/kpagecount",
                                 "/proc/kpageflags",
                                 "/proc/slabinfo",
                                 "/proc/vmallocinfo",
                                 "/proc/pagetypeinfo",
                                 "/dev/mem",
                                 "/dev/kmem",
                                 "/dev/port",
                                 "/dev/kmsg",
                                 "/dev/fuse",
                                 "/dev/kvm",
                                 "/sys/kernel/debug",
                                 "/sys/firmware",
                                 "/sys/fs/cgroup"}) {
    const int fd = ::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char bytes[64];
    const ssize_t got = fd < 0 ? -1 : ::read(fd, bytes, sizeof(bytes));
    std::printf("%s %s\n", path,
                got > 0 ? "content" : (got == 0 ? "empty" : strerrorname_np(errno)));
    if (fd >= 0) ::close(fd);
  }
  return 0;
}

}  // namespace probe
