#include "fs/proc_mount.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <string>

#include "fs/mount_api.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

struct Hidden {
  const char* path;  // Below /proc; files and directories that this kernel lacks are passed over.
  const char* reason;
};

// Read-only: they exist in every container and programs read them.
constexpr std::array kReadOnly{
    Hidden{"sys", "sysctls: core_pattern alone is code execution on the host"},
    Hidden{"sysrq-trigger", "reboots the host"},
    Hidden{"irq", "interrupt affinity of the host"},
    Hidden{"bus", "PCI configuration space"},
    Hidden{"fs", "knobs of mounted file systems"},
};

constexpr std::array kMasked{
    Hidden{"acpi", "firmware tables and switches"},
    Hidden{"asound", "sound hardware, names the host"},
    Hidden{"config.gz", "tells an exploit what the kernel has"},
    Hidden{"interrupts", "timing side channel of the host"},
    Hidden{"kallsyms", "kernel addresses"},
    Hidden{"kcore", "kernel memory"},
    Hidden{"key-users", "counts the keys of other users"},
    Hidden{"keys", "keyrings are not namespaced"},
    Hidden{"kmsg", "kernel log"},
    Hidden{"latency_stats", "stacks of other processes"},
    Hidden{"modules", "tells an exploit what the kernel has"},
    Hidden{"sched_debug", "names the processes of the host"},
    Hidden{"scsi", "storage hardware"},
    Hidden{"timer_list", "kernel addresses and processes of the host"},
    Hidden{"timer_stats", "processes of the host"},
};

UniqueFd make_proc(bool hide) {
  FsContext proc("proc");
  if (hide) proc.set("hidepid", "invisible");
  return proc.mount(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

UniqueFd open_entry(int proc, const char* path) {
  UniqueFd fd{::openat(proc, path, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd && errno != ENOENT) check(fd.get(), "openat", path);
  return fd;
}

mode_t mode_of(int fd, const char* path) {
  struct stat status {};
  check(::fstat(fd, &status), "fstat", path);
  return status.st_mode;
}

void make_read_only(int proc, const char* path) {
  const UniqueFd entry = open_entry(proc, path);
  if (!entry) return;
  const UniqueFd copy = clone_mount(entry.get(), Subtree::Only, path);
  add_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY, Subtree::Only, path);
  attach_mount(copy.get(), entry.get(), path);
}

void mask(int proc, const char* path, int empty, int null) {
  const UniqueFd entry = open_entry(proc, path);
  if (!entry) return;
  const mode_t mode = mode_of(entry.get(), path);
  // What only root of the host may open is closed already: no id in here is his. A mount is 12 us.
  if ((mode & (S_IRWXG | S_IRWXO)) == 0) return;
  const int cover = S_ISDIR(mode) ? empty : null;
  const UniqueFd copy = clone_mount(cover, Subtree::Only, path);
  add_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                       Subtree::Only, path);
  attach_mount(copy.get(), entry.get(), path);
}

}  // namespace

void mount_hidden_proc(int root, int empty, int null) {
  const UniqueFd proc = make_proc(true);
  const UniqueFd target = open_mount_target(root, "proc");
  attach_mount(proc.get(), target.get(), "/proc");
  for (const Hidden& hidden : kReadOnly) make_read_only(proc.get(), hidden.path);
  for (const Hidden& hidden : kMasked) mask(proc.get(), hidden.path, empty, null);
}

UniqueFd open_private_proc() { return make_proc(false); }

}  // namespace sandbox
