#include "runtime/init/pid1.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
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
void tell(const MessageSocket& status, const StatusMessage& message) {
  try {
    status.send(encode(message));
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

// Whatever still runs in the sandbox is a child of ours, of its own or because its parent ended.
bool has_children() {
  siginfo_t ignored;
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

Stdio take_stdio(const SpawnRequest& request, std::vector<UniqueFd>& fds) {
  if (fds.size() != (request.has_stdin ? 4U : 3U)) throw Error(EBADMSG, "spawn", "descriptors");
  Stdio stdio;
  stdio.out = std::move(fds[1]);
  stdio.err = std::move(fds[2]);
  if (request.has_stdin) {
    stdio.in = std::move(fds[3]);
  } else {
    stdio.in = UniqueFd(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null"));
  }
  return stdio;
}

}  // namespace

Pid1::Pid1(Means means)
    : control_(std::move(means.control)),
      proc_(std::move(means.proc)),
      command_filter_(std::move(means.command_filter)),
      spawner_(command_filter_, means.can_change_ids),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  watch(control_.fd());
  watch(child_signal_.fd());
}

void Pid1::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Pid1::run() {
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   milliseconds_to_deadline());
    if (count < 0 && errno != EINTR) throw Error(errno, "epoll_wait", {});
    bool child_ended = false;
    bool asked = false;
    // First of all the descriptors of commands: reaping closes them, and a new command may get the
    // same number, on which an old event would have us wait.
    for (int i = 0; i < count; ++i) {
      const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
      if (fd == control_.fd()) {
        asked = true;
      } else if (fd == child_signal_.fd()) {
        child_ended = true;
      } else {
        handle_status(fd);
      }
    }
    if (child_ended) reap();
    if (asked && !handle_control()) return;
    enforce_deadlines();
  }
}

// False at end of file: the owner is gone.
bool Pid1::handle_control() {
  try {
    std::optional<Message> message = control_.receive();
    if (!message) return false;
    start(std::move(*message));
  } catch (const Error& error) {
    // Too many commands at once. The status socket is gone with the message, which tells the host.
    if (error.code().value() != EMFILE) throw;
  }
  return true;
}

void Pid1::start(Message message) {
  if (message.fds.empty()) throw Error(EBADMSG, "spawn", "descriptors");
  Command command;
  command.status = MessageSocket(std::move(message.fds.front()));
  try {
    const SpawnRequest request = SpawnRequest::decode(message.payload);
    Stdio stdio = take_stdio(request, message.fds);
    command.tag = next_tag_++;
    command.started = Clock::now();
    if (request.timeout_ms != 0) {
      command.deadline = deadline_after(std::chrono::milliseconds(request.timeout_ms));
    }
    const pid_t pid = spawner_.spawn(request, stdio, command.tag);
    // Before the host knows of it: a command that closes its stdin must be the last to have it.
    stdio = Stdio();
    tell(command.status, Started{pid});
    watch(command.status.fd());
    commands_.emplace(pid, std::move(command));
  } catch (const Error& error) {
    tell(command.status, to_failure(error));
  }
}

// The host sends signals here, and closes its end when it lost interest.
void Pid1::handle_status(int status_fd) {
  const auto at = std::find_if(commands_.begin(), commands_.end(), [status_fd](const auto& entry) {
    return entry.second.status.fd() == status_fd;
  });
  if (at == commands_.end()) return;
  auto& [pid, command] = *at;
  const std::optional<Message> message = command.status.receive();
  if (!message) {
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, status_fd, nullptr), "epoll_ctl");
    return;
  }
  const StatusMessage decoded = decode_status(message->payload);
  const auto* request = std::get_if<SignalRequest>(&decoded);
  if (request == nullptr) throw Error(EBADMSG, "signal", "status message");
  if (request->target == Target::Tree) {
    signal_tree(proc_.get(), command.tag, request->signal);
  } else {
    ::kill(pid, request->signal);  // Not reaped yet, so the pid is still this command's.
  }
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
  tell(command.status, Ended{.outcome = outcome,
                             .usage = to_usage(used, Clock::now() - command.started),
                             .left_daemons = has_children()});
  commands_.erase(at);
}

void Pid1::enforce_deadlines() {
  const auto now = Clock::now();
  for (auto& [pid, command] : commands_) {
    if (command.deadline > now) continue;
    command.timed_out = true;
    command.deadline = Clock::time_point::max();
    signal_tree(proc_.get(), command.tag, SIGKILL);
  }
}

// Rounded up, so that a deadline is over when we wake for it.
int Pid1::milliseconds_to_deadline() const {
  auto next = Clock::time_point::max();
  for (const auto& [pid, command] : commands_) next = std::min(next, command.deadline);
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 3'600'000));
}

}  // namespace sandbox
