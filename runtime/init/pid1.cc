#include "runtime/init/pid1.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "proc/process_tree.h"
#include "proc/status_message.h"
#include "runtime/base/deadline.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

std::chrono::microseconds to_duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

Usage to_usage(const rusage& used, std::chrono::steady_clock::duration wall) {
  Usage usage;
  usage.wall = std::chrono::duration_cast<std::chrono::microseconds>(wall);
  usage.user = to_duration(used.ru_utime);
  usage.system = to_duration(used.ru_stime);
  usage.peak_memory_bytes = static_cast<uint64_t>(used.ru_maxrss) * 1024;
  usage.voluntary_switches = static_cast<uint64_t>(used.ru_nvcsw);
  usage.involuntary_switches = static_cast<uint64_t>(used.ru_nivcsw);
  return usage;
}

Outcome to_outcome(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return Signaled{.signal = WTERMSIG(wait_status), .core_dumped = WCOREDUMP(wait_status) != 0};
  }
  return Exited{WEXITSTATUS(wait_status)};
}

// A host that closed its end does not want to know; its sandbox goes on.
template <typename Answer>
void tell(const MessageSocket& socket, const Answer& answer, std::span<const int> fds = {}) {
  try {
    socket.send(encode(answer), fds);
  } catch (const Error& error) {
    if (error.code().value() != EPIPE) throw;
  }
}

StartFailed to_failure(const Error& error) {
  return {.error = error.code().value(),
          .call = error.call(),
          .subject = error.subject(),
          .hint = error.hint()};
}

bool readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

// Whatever still runs in the sandbox is a child of ours, of its own or because its parent ended.
bool has_children() {
  siginfo_t ignored;
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

Stdio take_stdio(const SpawnRequest& request, std::vector<UniqueFd> fds) {
  if (fds.size() != (request.has_stdin ? 3U : 2U)) throw Error(EBADMSG, "spawn", "descriptors");
  Stdio stdio;
  stdio.out = std::move(fds[0]);
  stdio.err = std::move(fds[1]);
  if (request.has_stdin) {
    stdio.in = std::move(fds[2]);
  } else {
    stdio.in = UniqueFd(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null"));
  }
  return stdio;
}

}  // namespace

Pid1::Pid1(Means means)
    : listener_(std::move(means.listener)),
      root_(std::move(means.root)),
      proc_(std::move(means.proc)),
      command_filter_(std::move(means.command_filter)),
      spawner_(command_filter_, means.can_change_ids),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  watch(child_signal_.fd());
  if (listener_) watch(listener_.get());
  owner_ = means.owner.fd();
  watch(owner_);
  clients_.emplace(owner_, std::move(means.owner));
  set_ttl(means.ttl_ms);
}

void Pid1::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Pid1::unwatch(int fd) {
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
}

void Pid1::run() {
  std::array<epoll_event, 64> events{};
  while (!ending_) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   milliseconds_to_deadline());
    if (count < 0 && errno != EINTR) throw Error(errno, "epoll_wait", {});
    for (int i = 0; i < count; ++i) handle(events.at(static_cast<std::size_t>(i)).data.fd);
    enforce_deadlines();
  }
}

// One event of a round may close the descriptor of another, and a new one may then get its number:
// whoever reads must not wait when there is nothing.
void Pid1::handle(int fd) {
  if (fd == child_signal_.fd()) {
    reap();
  } else if (fd == listener_.get()) {
    accept_client();
  } else if (clients_.contains(fd)) {
    handle_client(fd);
  } else {
    handle_status(fd);
  }
}

// Who may connect is decided by the directory the socket is in, 0700 and out of the sandbox's
// sight.
void Pid1::accept_client() {
  UniqueFd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!client) return;  // It has gone again, or we are out of descriptors and it waits.
  // Pids of processes that are not below us show as 0: pid_namespaces(7). What runs in here has
  // nothing to ask, whatever directory of the host it was shown.
  ucred peer{};
  socklen_t size = sizeof(peer);
  check(::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt");
  if (peer.pid != 0) return;
  watch(client.get());
  const int fd = client.get();
  clients_.emplace(fd, MessageSocket(std::move(client)));
}

void Pid1::handle_client(int fd) {
  const MessageSocket& client = clients_.at(fd);
  try {
    if (!readable(fd)) return;
    std::optional<Message> message = client.receive();
    if (message) return answer(std::move(*message));
  } catch (const Error& error) {
    // Too many commands at once. The answer's socket is gone with the message, which tells the
    // host.
    if (error.code().value() == EMFILE) return;
    // Only who may kill the sandbox may connect at all; what he cannot say right ends his own
    // connection.
    if (error.code().value() != EBADMSG || fd == owner_) throw;
  }
  ending_ = fd == owner_;
  unwatch(fd);
  clients_.erase(fd);
}

void Pid1::answer(Message message) {
  if (message.fds.empty()) throw Error(EBADMSG, "control", "descriptors");
  MessageSocket reply(std::move(message.fds.front()));
  message.fds.erase(message.fds.begin());
  ControlRequest request = decode_control_request(message.payload);
  if (const auto* spawn = std::get_if<SpawnRequest>(&request)) {
    start(*spawn, std::move(reply), std::move(message.fds));
  } else if (std::holds_alternative<Release>(request)) {
    owner_ = -1;
    tell(reply, ControlReply(Done{}));
  } else if (std::holds_alternative<GetRoot>(request)) {
    const int root = root_.get();
    tell(reply, ControlReply(Done{}), {&root, 1});
  } else if (const auto* ttl = std::get_if<SetTtl>(&request)) {
    set_ttl(ttl->ttl_ms);
    tell(reply, ControlReply(Done{}));
  } else {
    tell(reply, ControlReply(describe()));
  }
}

void Pid1::set_ttl(uint64_t ttl_ms) {
  end_ = ttl_ms == 0 ? Clock::time_point::max() : deadline_after(std::chrono::milliseconds(ttl_ms));
}

State Pid1::describe() const {
  State state;
  state.processes = count_processes(proc_.get());
  if (end_ != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    state.ttl_left_ms = static_cast<uint64_t>(std::max<int64_t>(left.count(), 1));
  }
  return state;
}

void Pid1::start(const SpawnRequest& request, MessageSocket status, std::vector<UniqueFd> fds) {
  Command command;
  command.status = std::move(status);
  try {
    Stdio stdio = take_stdio(request, std::move(fds));
    command.tag = next_tag_++;
    command.started = Clock::now();
    if (request.timeout_ms != 0) {
      command.deadline = deadline_after(std::chrono::milliseconds(request.timeout_ms));
    }
    const pid_t pid = spawner_.spawn(request, stdio, command.tag);
    // Before the host knows of it: a command that closes its stdin must be the last to have it.
    stdio = Stdio();
    tell(command.status, StatusMessage(Started{pid}));
    watch(command.status.fd());
    commands_.emplace(pid, std::move(command));
  } catch (const Error& error) {
    tell(command.status, StatusMessage(to_failure(error)));
  }
}

// The host sends signals here. That it closes its end is the end of the command, unless it said
// before that the command is to run on.
void Pid1::handle_status(int status_fd) {
  const auto at = std::find_if(commands_.begin(), commands_.end(), [status_fd](const auto& entry) {
    return entry.second.status.fd() == status_fd;
  });
  if (at == commands_.end()) return;
  auto& [pid, command] = *at;
  if (!readable(status_fd)) return;
  const std::optional<Message> message = command.status.receive();
  if (!message) return abandon(command);
  const StatusMessage decoded = decode_status(message->payload);
  if (std::holds_alternative<Detach>(decoded)) {
    command.detached = true;
    return;
  }
  const auto* request = std::get_if<SignalRequest>(&decoded);
  if (request == nullptr) throw Error(EBADMSG, "signal", "status message");
  if (request->target == Target::Tree) {
    signal_tree(proc_.get(), command.tag, request->signal);
  } else {
    ::kill(pid, request->signal);  // Not reaped yet, so the pid is still this command's.
  }
}

void Pid1::abandon(Command& command) {
  unwatch(command.status.fd());
  if (!command.detached) signal_tree(proc_.get(), command.tag, SIGKILL);
}

void Pid1::reap() {
  child_signal_.drain();
  int status = 0;
  rusage used{};
  pid_t pid = 0;
  while ((pid = ::wait4(-1, &status, WNOHANG, &used)) > 0) finish(pid, status, used);
}

void Pid1::finish(pid_t pid, int wait_status, const rusage& used) {
  const auto at = commands_.find(pid);
  if (at == commands_.end()) return;  // An orphan that became ours.
  const Command& command = at->second;
  const Outcome outcome = command.timed_out ? Outcome(TimedOut{}) : to_outcome(wait_status);
  tell(command.status, StatusMessage(Ended{.outcome = outcome,
                                           .usage = to_usage(used, Clock::now() - command.started),
                                           .left_daemons = has_children()}));
  commands_.erase(at);
}

void Pid1::enforce_deadlines() {
  const auto now = Clock::now();
  if (end_ <= now) ending_ = true;
  for (auto& [pid, command] : commands_) {
    if (command.deadline > now) continue;
    command.timed_out = true;
    command.deadline = Clock::time_point::max();
    signal_tree(proc_.get(), command.tag, SIGKILL);
  }
}

int Pid1::milliseconds_to_deadline() const {
  auto next = end_;
  for (const auto& [pid, command] : commands_) next = std::min(next, command.deadline);
  return milliseconds_until(next);
}

}  // namespace sandbox
