#include "isolation/namespace_quotas.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"

namespace sandbox {
namespace {

struct Quota {
  const char* file;  // Below /proc/sys/user: namespaces(7), inotify(7), fanotify(7).
  const char* value;
  const char* reason;
};

constexpr std::array kQuotas{
    Quota{"max_user_namespaces", "0", "local exploits start by becoming root in one"},
    Quota{"max_mnt_namespaces", "0", "needs a user namespace, which is closed too"},
    Quota{"max_pid_namespaces", "0", "the same"},
    Quota{"max_net_namespaces", "0", "the same; netfilter is reached through it"},
    Quota{"max_ipc_namespaces", "0", "the same"},
    Quota{"max_uts_namespaces", "0", "the same"},
    Quota{"max_cgroup_namespaces", "0", "the same"},
    Quota{"max_time_namespaces", "0", "the same"},
    Quota{"max_inotify_instances", "64", "the host user's 128 are shared by all of his sandboxes"},
    Quota{"max_inotify_watches", "65536", "each pins an inode of the host kernel"},
    Quota{"max_fanotify_groups", "0", "an almost global event interface"},
};

}  // namespace

void close_namespace_quotas(int proc) {
  const UniqueFd user{check(::openat(proc, "sys/user", O_PATH | O_DIRECTORY | O_CLOEXEC), "openat",
                            "/proc/sys/user")};
  for (const Quota& quota : kQuotas) {
    const UniqueFd file{::openat(user.get(), quota.file, O_WRONLY | O_CLOEXEC)};
    if (!file && errno == ENOENT) continue;  // A kernel without this kind of namespace.
    check(file.get(), "openat", quota.file);
    const std::string_view value = quota.value;
    check(::write(file.get(), value.data(), value.size()), "write", quota.file);
  }
}

}  // namespace sandbox
