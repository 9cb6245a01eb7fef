#include "isolation/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>

#include "isolation/cgroup_counter.h"
#include "runtime/base/deadline.h"
#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr int kOpenFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// What the kernel does in a moment; longer takes only a process in uninterruptible sleep.
constexpr std::chrono::seconds kPatience{10};

bool is_cgroup2(int fd) noexcept {
  struct statfs system {};
  return ::fstatfs(fd, &system) == 0 && system.f_type == CGROUP2_SUPER_MAGIC;
}

// Waits until `key` in cgroup.events is `wanted`. The kernel announces changes as POLLPRI.
bool await_event(const Cgroup& cgroup, std::string_view key, uint64_t wanted) {
  const UniqueFd events{check(::openat(cgroup.fd(), "cgroup.events", O_RDONLY | O_CLOEXEC),
                              "openat", "cgroup.events")};
  const auto deadline = deadline_after(std::chrono::milliseconds(kPatience));
  while (std::chrono::steady_clock::now() < deadline) {
    if (read_counter(events.get(), key) == wanted) return true;
    pollfd changed{events.get(), POLLPRI, 0};
    constexpr int kLookAgainMs = 100;
    ::poll(&changed, 1, kLookAgainMs);
  }
  return false;
}

}  // namespace

Cgroup Cgroup::open(const std::string& path) {
  UniqueFd directory{check(::open(path.c_str(), kOpenFlags), "open", path)};
  if (!is_cgroup2(directory.get())) throw Error(EOPNOTSUPP, "open", path, "it is no cgroup2");
  return Cgroup(std::move(directory));
}

Cgroup Cgroup::make(const std::string& name) const {
  check(::mkdirat(fd(), name.c_str(), 0755), "mkdirat", name);
  return child(name);
}

Cgroup Cgroup::make_or_open(const std::string& name) const {
  if (::mkdirat(fd(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Error(errno, "mkdirat", name);
  }
  return child(name);
}

Cgroup Cgroup::child(const std::string& name) const {
  return Cgroup(UniqueFd(check(::openat(fd(), name.c_str(), kOpenFlags), "openat", name)));
}

std::optional<Cgroup> Cgroup::parent() const {
  // The top of the mount has no cgroup.type; what is above it is another file system.
  if (!has("cgroup.type")) return std::nullopt;
  UniqueFd above{::openat(fd(), "..", kOpenFlags)};
  if (!above || !is_cgroup2(above.get())) return std::nullopt;
  return Cgroup(std::move(above));
}

std::string Cgroup::read(const char* file) const { return read_kernel_file(fd(), file); }

void Cgroup::write(const char* file, std::string_view value) const {
  write_kernel_file(fd(), file, value);
}

bool Cgroup::has(const char* file) const noexcept {
  return ::faccessat(fd(), file, F_OK, AT_EACCESS) == 0;
}

bool Cgroup::is_ours() const noexcept {
  for (const char* file : {".", "cgroup.procs", "cgroup.subtree_control"}) {
    if (::faccessat(fd(), file, W_OK, AT_EACCESS) != 0) return false;
  }
  return true;
}

void Cgroup::enable(std::string_view controller) const {
  if (has_word(read("cgroup.subtree_control"), controller)) return;
  write("cgroup.subtree_control", std::string("+").append(controller));
}

bool Cgroup::has_controller(std::string_view controller) const {
  return has_word(read("cgroup.controllers"), controller);
}

void Cgroup::add(pid_t pid) const { write("cgroup.procs", std::to_string(pid)); }

void Cgroup::set_frozen(bool frozen) const {
  write("cgroup.freeze", frozen ? "1" : "0");
  if (await_event(*this, "frozen", frozen ? 1 : 0)) return;
  throw Error(ETIMEDOUT, "write", "cgroup.freeze",
              "a process of the sandbox is in uninterruptible sleep");
}

void Cgroup::kill() const { write("cgroup.kill", "1"); }

uint64_t Cgroup::counter(const char* file, std::string_view key) const {
  return find_counter(read(file), key);
}

std::optional<uint64_t> Cgroup::number(const char* file) const {
  if (!has(file)) return std::nullopt;
  return parse_number(read(file));
}

void remove_cgroup(const Cgroup& parent, const std::string& name) {
  if (::unlinkat(parent.fd(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
  if (errno != EBUSY) throw Error(errno, "rmdir", name);
  // Its last process has been waited for and yet may count for a moment.
  await_event(parent.child(name), "populated", 0);
  check(::unlinkat(parent.fd(), name.c_str(), AT_REMOVEDIR), "rmdir", name);
}

}  // namespace sandbox
