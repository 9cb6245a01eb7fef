#include "runtime/launcher_client.h"

#include <poll.h>
#include <sys/wait.h>

#include <string>

#include "runtime/base/program_start.h"
#include "runtime/base/sealed_memfd.h"
#include "runtime/base/syscalls.h"
#include "runtime/init/launcher_protocol.h"
#include "runtime/init_image.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// The socket has 3: launcher_protocol.h.
constexpr int kImageFd = 4;

pid_t spawn_launcher(int socket, int image, uid_t uid, gid_t gid) {
  ProgramStart start;
  start.in_new_session();
  start.pass(socket, kLauncherSocketFd);
  start.pass(image, kImageFd);
  try {
    return start.run(
        "/proc/self/fd/" + std::to_string(kImageFd),
        {"sandbox-init", std::string(kLauncherMode), std::to_string(uid), std::to_string(gid)});
  } catch (const Error& error) {
    throw Error(
        error.code().value(), "posix_spawn", "sandbox-init",
        "the launcher runs from a memfd: /proc must be mounted and vm.memfd_noexec below 2");
  }
}

}  // namespace

LauncherClient::Child::Child(uid_t uid, gid_t gid) {
  const UniqueFd image = make_sealed_memfd("sandbox-init", init_image(), Executable::Yes);
  auto [ours, theirs] = MessageSocket::pair();
  pid = spawn_launcher(theirs.fd(), image.get(), uid, gid);
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

pid_t LauncherClient::pid() {
  std::shared_ptr<const Child> launcher = child();
  pollfd end{launcher->pidfd.get(), POLLIN, 0};
  if (check(::poll(&end, 1, 0), "poll", "launcher") > 0) {
    replace(launcher);
    launcher = child();
  }
  return launcher->pid;
}

void LauncherClient::launch(const LaunchRequest& request, std::span<const int> fds) {
  send(request.encode(), fds);
}

MessageSocket LauncherClient::start_file_agent(std::span<const UniqueFd> namespaces) {
  auto [ours, theirs] = MessageSocket::pair();
  std::vector<int> fds{theirs.fd()};
  for (const UniqueFd& name_space : namespaces) fds.push_back(name_space.get());
  send({}, fds);
  return std::move(ours);
}

void LauncherClient::send(std::span<const std::byte> payload, std::span<const int> fds) {
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
