#include "runtime/launcher_client.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "runtime/base/sealed_memfd.h"
#include "runtime/base/syscalls.h"
#include "runtime/init/launcher_protocol.h"
#include "runtime/init_image.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// The socket has 3: launcher_protocol.h.
constexpr int kImageFd = 4;

class FileActions {
 public:
  FileActions() { require(::posix_spawn_file_actions_init(&actions_)); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void open_null(int fd) {
    require(::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0));
  }
  void dup(int from, int to) { require(::posix_spawn_file_actions_adddup2(&actions_, from, to)); }
  void close_from(int fd) { require(::posix_spawn_file_actions_addclosefrom_np(&actions_, fd)); }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  static void require(int error) {
    if (error != 0) throw Error(error, "posix_spawn_file_actions", "launcher");
  }
  posix_spawn_file_actions_t actions_{};
};

// Whatever the host does with its signals, the launcher starts with none blocked or ignored, and in
// a session of its own: a Ctrl-C is for the host to handle.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Above the numbers that the child's descriptors get, so that no dup2 overwrites another's source.
UniqueFd above_low_numbers(int fd) {
  return UniqueFd(check(::fcntl(fd, F_DUPFD_CLOEXEC, kImageFd + 1), "fcntl(F_DUPFD)", "launcher"));
}

pid_t spawn_launcher(int socket, int image, uid_t uid, gid_t gid) {
  const UniqueFd socket_source = above_low_numbers(socket);
  const UniqueFd image_source = above_low_numbers(image);
  FileActions actions;
  for (int fd = 0; fd <= 2; ++fd) actions.open_null(fd);
  actions.dup(socket_source.get(), kLauncherSocketFd);
  actions.dup(image_source.get(), kImageFd);
  actions.close_from(kImageFd + 1);

  std::string name = "sandbox-init";
  std::string mode(kLauncherMode);
  std::string uid_text = std::to_string(uid);
  std::string gid_text = std::to_string(gid);
  const std::array<char*, 5> argv{name.data(), mode.data(), uid_text.data(), gid_text.data(),
                                  nullptr};
  const std::array<char*, 1> no_environment{nullptr};
  const std::string path = "/proc/self/fd/" + std::to_string(kImageFd);
  const Attributes attributes;
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), actions.get(), attributes.get(), argv.data(),
                                  no_environment.data());
  if (error != 0) {
    throw Error(
        error, "posix_spawn", "sandbox-init",
        "the launcher runs from a memfd: /proc must be mounted and vm.memfd_noexec below 2");
  }
  return pid;
}

}  // namespace

LauncherClient::Child::Child(uid_t uid, gid_t gid) {
  const UniqueFd image = make_sealed_memfd("sandbox-init", init_image(), Executable::Yes);
  auto [ours, theirs] = MessageSocket::pair();
  const pid_t pid = spawn_launcher(theirs.fd(), image.get(), uid, gid);
  pidfd.reset(check(pidfd_open(pid), "pidfd_open", "launcher"));
  socket = std::move(ours);
}

LauncherClient::Child::~Child() {
  // Its end of file. Then it leaves at once, unless it waits for newuidmap, which is bounded too.
  socket = MessageSocket();
  // By pidfd, never by number; ECHILD when the host ignores SIGCHLD or has reaped it already.
  siginfo_t ignored;
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &ignored, WEXITED);
}

std::shared_ptr<const LauncherClient::Child> LauncherClient::child() {
  const std::lock_guard lock(mutex_);
  if (!child_) child_ = std::make_shared<const Child>(uid_, gid_);
  return child_;
}

void LauncherClient::replace(const std::shared_ptr<const Child>& dead) {
  const std::lock_guard lock(mutex_);
  if (child_ == dead) child_ = std::make_shared<const Child>(uid_, gid_);
}

void LauncherClient::launch(const LaunchRequest& request, std::span<const int> fds) {
  const std::vector<std::byte> payload = request.encode();
  const std::shared_ptr<const Child> launcher = child();
  try {
    launcher->socket.send(payload, fds);
  } catch (const Error& error) {
    if (error.code().value() != EPIPE) throw;
    replace(launcher);
    child()->socket.send(payload, fds);
  }
}

}  // namespace sandbox
