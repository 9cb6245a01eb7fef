#include "runtime/init/sudo_service.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "proc/process_tree.h"
#include "proc/status_message.h"
#include "proc/sudo_request.h"
#include "runtime/base/child_signal.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

struct Order {
  SpawnRequest request;
  Stdio stdio;
  UniqueFd cwd;
};

Order decode_order(Message message) {
  if (message.fds.size() != 4) throw Error(EBADMSG, "sudo", "descriptors");
  Order order{.request = decode_sudo_request(message.payload), .stdio = {}, .cwd = {}};
  order.stdio.in = std::move(message.fds[0]);
  order.stdio.out = std::move(message.fds[1]);
  order.stdio.err = std::move(message.fds[2]);
  order.cwd = std::move(message.fds[3]);
  return order;
}

// sudo(8) starts the command where the caller is, entered or not; we have to enter. Who may not is
// started in the root directory.
pid_t spawn(const Order& order, const Spawner& spawner, uint64_t tag) {
  try {
    return spawner.spawn_in(order.cwd.get(), order.request, order.stdio, tag);
  } catch (const Error& error) {
    if (error.call() != "fchdir" || error.code().value() != EACCES) throw;
  }
  const UniqueFd root{check(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/")};
  return spawner.spawn_in(root.get(), order.request, order.stdio, tag);
}

void tell(const MessageSocket& client, const StatusMessage& message) {
  client.send(encode(message));
}

// The command of one sudo. Its process group has its pid: exec_child() begins with setsid(2).
class Command {
 public:
  Command(const MessageSocket& client, pid_t pid, const ChildSignal& child_signal)
      : client_(client), pid_(pid), child_signal_(child_signal) {}

  void attend() {
    std::array<pollfd, 2> waiting{{{client_.fd(), POLLIN, 0}, {child_signal_.fd(), POLLIN, 0}}};
    for (;;) {
      if (::poll(waiting.data(), waiting.size(), -1) < 0) throw Error(errno, "poll", "sudo");
      if (waiting[1].revents != 0 && has_ended()) return;
      if (waiting[0].revents != 0 && !take_message()) return;
    }
  }

 private:
  bool has_ended() const {
    child_signal_.drain();
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    Outcome outcome = Exited{WEXITSTATUS(status)};
    if (WIFSIGNALED(status)) outcome = Signaled{.signal = WTERMSIG(status)};
    tell(client_, Ended{.outcome = outcome, .usage = {}});
    return true;
  }

  // False when the client has gone, and with it the reason for the command.
  bool take_message() const {
    const std::optional<Message> message = client_.receive();
    if (!message) {
      ::kill(-pid_, SIGKILL);
      return false;
    }
    const StatusMessage decoded = decode_status(message->payload);
    const auto* request = std::get_if<SignalRequest>(&decoded);
    if (request == nullptr) throw Error(EBADMSG, "sudo", "signal");
    if (request->signal > 0 && request->signal <= SIGRTMAX) ::kill(-pid_, request->signal);
    return true;
  }

  const MessageSocket& client_;
  pid_t pid_;
  const ChildSignal& child_signal_;
};

[[noreturn]] void child_main(UniqueFd client, const Spawner& spawner, uint64_t tag) {
  constexpr int kClientFd = 3;
  try {
    check(::dup2(client.release(), kClientFd), "dup2");
    check(::fcntl(kClientFd, F_SETFD, FD_CLOEXEC), "fcntl");
    check(::close_range(kClientFd + 1, ~0U, 0), "close_range");
    // Before it listens to anybody: whoever ends the client's command ends this.
    const rlimit limit{tag, tag};
    check(::setrlimit(RLIMIT_LOCKS, &limit), "setrlimit");
    serve_sudo(MessageSocket(UniqueFd(kClientFd)), spawner, tag);
  } catch (const std::exception&) {
    // The client sees the end of the connection.
  }
  ::_exit(EXIT_SUCCESS);
}

}  // namespace

std::optional<uint64_t> tag_of_client(const UniqueFd& client, uid_t user, int proc) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  const int known = ::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  check(known, "getsockopt(SO_PEERCRED)");
  if (peer.uid != user && peer.uid != 0) return std::nullopt;
  return tag_of(proc, peer.pid);
}

pid_t start_sudo(UniqueFd client, const Spawner& spawner, uint64_t tag) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  if (spawner.cgroup() >= 0) {
    args.flags = CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(spawner.cgroup());
  }
  const pid_t pid = check(clone3(args), "clone3", "sudo");
  if (pid == 0) child_main(std::move(client), spawner.from_within(), tag);
  return pid;
}

void serve_sudo(const MessageSocket& client, const Spawner& spawner, uint64_t tag) {
  std::optional<Message> message = client.receive();
  if (!message) return;
  Order order = decode_order(std::move(*message));
  const ChildSignal child_signal;
  pid_t pid = -1;
  try {
    pid = spawn(order, spawner, tag);
  } catch (const Error& error) {
    return tell(client, StartFailed{.error = error.code().value(),
                                    .call = error.call(),
                                    .subject = error.subject(),
                                    .hint = error.hint()});
  }
  order = Order();
  tell(client, Started{pid});
  Command(client, pid, child_signal).attend();
}

}  // namespace sandbox
