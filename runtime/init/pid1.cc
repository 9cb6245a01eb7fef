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
#include "runtime/init/command_facts.h"
#include "runtime/init/sudo_service.h"
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

bool readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

// Whatever still runs in the sandbox is a child of ours, of its own or because its parent ended.
bool has_children() {
  siginfo_t ignored;
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

Pid1::Pid1(Means means)
    : listener_(std::move(means.listener)),
      root_(std::move(means.root)),
      proc_(std::move(means.proc)),
      command_filter_(std::move(means.command_filter)),
      cgroup_(std::move(means.cgroup)),
      limits_(means.limits),
      spawner_({.command_filter = command_filter_,
                .can_change_ids = means.can_change_ids,
                .rlimits = means.rlimits,
                .cgroup = cgroup_.exists() ? &cgroup_ : nullptr}),
      sudo_listener_(std::move(means.sudo_listener)),
      sudo_user_(means.sudo_user),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  watch(child_signal_.fd());
  watch(kept_.fd());
  if (listener_) watch(listener_.get());
  if (sudo_listener_) watch(sudo_listener_.get());
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
  } else if (fd == sudo_listener_.get()) {
    accept_sudo();
  } else if (fd == kept_.fd()) {
    handle_kept();
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

// Anybody inside connects here. Who may not ask, or is one too many, finds the connection closed.
void Pid1::accept_sudo() {
  constexpr std::size_t kMostAtOnce = 64;
  UniqueFd client{::accept4(sudo_listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!client || sudos_.size() >= kMostAtOnce) return;
  try {
    const std::optional<uint64_t> tag = tag_of_client(client, sudo_user_, proc_.get());
    if (tag) sudos_.insert(start_sudo(std::move(client), spawner_, *tag));
  } catch (const Error&) {
    // No process for this one: the sandbox has used up what it may have.
  }
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
  } else if (const auto* wish = std::get_if<ConnectRequest>(&request)) {
    connect(*wish, std::move(reply), std::move(message.fds));
  } else if (std::holds_alternative<ListCommands>(request)) {
    tell(reply, ControlReply(CommandList{list()}));
  } else if (const auto* wanted = std::get_if<SignalCommand>(&request)) {
    tell(reply, ControlReply(Signalled{signal(*wanted)}));
  } else if (std::holds_alternative<Release>(request)) {
    owner_ = -1;
    tell(reply, ControlReply(Done{}));
  } else if (std::holds_alternative<GetRoot>(request)) {
    const int root = root_.get();
    tell(reply, ControlReply(Done{}), {&root, root_ ? 1U : 0U});
  } else if (const auto* ttl = std::get_if<SetTtl>(&request)) {
    set_ttl(ttl->ttl_ms);
    tell(reply, ControlReply(Done{}));
  } else if (std::holds_alternative<GetNamespaces>(request)) {
    give_namespaces(reply);
  } else {
    tell(reply, ControlReply(describe()));
  }
}

// Opened when they are asked for, because few sandboxes ever are.
void Pid1::give_namespaces(const MessageSocket& reply) const {
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  for (const char* path :
       {"self/ns/user", "self/ns/uts", "self/ns/ipc", "self/ns/cgroup", "self/ns/net"}) {
    const int fd = ::openat(proc_.get(), path, O_RDONLY | O_CLOEXEC);
    fds.push_back(check(fd, "openat", path));
    owned.emplace_back(fd);
  }
  tell(reply, ControlReply(Done{}), fds);
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
  try {
    Plumbing plumbing = lay_pipes(request, std::move(fds));
    Command command;
    command.tag = next_tag_++;
    command.before = Evidence::now(cgroup_, limits_);
    command.started = Clock::now();
    if (request.timeout_ms != 0) {
      command.deadline = deadline_after(std::chrono::milliseconds(request.timeout_ms));
    }
    if (request.idle_ms != 0) command.idle_limit = std::chrono::milliseconds(request.idle_ms);
    if (request.cpu_ms != 0) command.cpu_limit.emplace(command.tag, request.cpu_ms);
    const pid_t pid = spawner_.spawn(request, plumbing.stdio, command.tag);
    // Before the host knows of it: a command that closes its stdin must be the last to have it.
    plumbing.stdio = Stdio();
    command.info = facts_of(request, pid);
    const auto at = commands_.insert_or_assign(pid, std::move(command)).first;
    kept_.give_up(pid);
    if (plumbing.through_us) return hand_over(pid, std::move(plumbing), request, std::move(status));
    const int master = plumbing.terminal.get();
    tell(status, StatusMessage(Started{pid}), {&master, plumbing.terminal ? 1U : 0U});
    watch(status.fd());
    at->second.status = std::move(status);
  } catch (const Error& error) {
    tell(status, StatusMessage(to_failure(error)));
  }
}

// Its host is a client like others, only the first.
void Pid1::hand_over(pid_t pid, Plumbing plumbing, const SpawnRequest& request,
                     MessageSocket status) {
  kept_.add(pid, std::move(plumbing.sources), request.output, commands_.at(pid).tag);
  kept_.connect(pid, {.status = std::move(status),
                      .out = std::move(plumbing.client_out),
                      .err = std::move(plumbing.client_err)});
}

void Pid1::connect(const ConnectRequest& request, MessageSocket status, std::vector<UniqueFd> fds) {
  if (fds.size() != 2) throw Error(EBADMSG, "connect", "descriptors");
  const pid_t pid = request.pid != 0 ? request.pid : find_tagged(request.tag);
  if (commands_.contains(pid) && !kept_.has(pid)) {
    return tell(status, StatusMessage(StartFailed{
                            .error = EINVAL,
                            .call = "connect",
                            .subject = std::to_string(pid),
                            .hint = "its output goes to who started it: it is not a kept one"}));
  }
  if (pid == 0) {
    return tell(status, StatusMessage(StartFailed{.error = ESRCH,
                                                  .call = "connect",
                                                  .subject = request.tag,
                                                  .hint = "no kept command has this tag"}));
  }
  kept_.connect(pid, {.status = std::move(status),
                      .out = std::move(fds[0]),
                      .err = std::move(fds[1]),
                      .out_from = request.out_from,
                      .err_from = request.err_from,
                      .follow = request.follow});
}

std::vector<CommandInfo> Pid1::list() const {
  std::vector<CommandInfo> all = kept_.ended();
  for (const auto& [pid, command] : commands_) {
    CommandInfo& info = all.emplace_back(command.info);
    info.state = is_stopped(proc_.get(), pid) ? CommandState::Stopped : CommandState::Running;
    info.age =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - command.started);
    kept_.count_output(info);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
  return all;
}

// 0, which is nobody, when there is none.
pid_t Pid1::find_tagged(const std::string& tag) const {
  std::optional<CommandInfo> newest;
  for (CommandInfo& info : list()) {
    if (info.tag != tag || info.output != Output::Kept) continue;
    // Of two in one millisecond the later has the higher pid, by which the list is sorted.
    if (!newest || info.age <= newest->age) newest = std::move(info);
  }
  return newest ? newest->pid : 0;
}

// False when it has ended; of its tree there may still be something left.
bool Pid1::signal(const SignalCommand& request) {
  const auto at = commands_.find(request.pid);
  const auto [signal, target] = request.signal;
  if (at != commands_.end() && signal == SIGKILL) at->second.killed = true;
  if (target == Target::Process) {
    // Not reaped yet, so the pid is still this command's.
    return at != commands_.end() && ::kill(request.pid, signal) == 0;
  }
  const std::optional<uint64_t> tree =
      at != commands_.end() ? at->second.tag : kept_.tree_of(request.pid);
  if (!tree || find_tree(proc_.get(), *tree).empty()) return false;
  signal_tree(proc_.get(), *tree, signal);
  return true;
}

void Pid1::handle_kept() {
  for (const KeptEvent& event : kept_.handle_events()) {
    if (const auto* wanted = std::get_if<SignalWanted>(&event)) {
      signal({.pid = wanted->pid, .signal = wanted->request});
    } else if (const auto* reached = std::get_if<LimitReached>(&event)) {
      end_tree(reached->pid, OutputLimit{.limit_bytes = reached->limit_bytes});
    } else {
      end_tree(std::get<Abandoned>(event).pid, Signaled{.signal = SIGKILL});
    }
  }
}

void Pid1::end_tree(pid_t pid, const Outcome& why) {
  const auto at = commands_.find(pid);
  if (at == commands_.end()) return;
  if (!at->second.verdict) at->second.verdict = why;
  signal_tree(proc_.get(), at->second.tag, SIGKILL);
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
  signal({.pid = pid, .signal = *request});
}

void Pid1::abandon(Command& command) {
  unwatch(command.status.fd());
  if (!command.detached) signal_tree(proc_.get(), command.tag, SIGKILL);
}

void Pid1::reap() {
  child_signal_.drain();
  int status = 0;
  rusage used{};
  CpuLimit* payer = nullptr;
  pid_t pid = 0;
  while ((pid = ::wait4(next_to_reap(payer), &status, WNOHANG, &used)) > 0) {
    if (payer != nullptr)
      payer->clock.add_reaped(to_duration(used.ru_utime) + to_duration(used.ru_stime));
    finish(pid, status, used);
  }
}

// Anybody, unless time has to be charged: whose an orphan was is not known once it is reaped.
pid_t Pid1::next_to_reap(CpuLimit*& payer) {
  payer = nullptr;
  const bool is_charged = std::any_of(commands_.begin(), commands_.end(), [](const auto& entry) {
    return entry.second.cpu_limit.has_value();
  });
  siginfo_t ended{};
  if (!is_charged || ::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      ended.si_pid == 0) {
    return -1;
  }
  const std::optional<uint64_t> tree = tag_of(proc_.get(), ended.si_pid);
  for (auto& [pid, command] : commands_) {
    if (command.tag == tree && command.cpu_limit) payer = &*command.cpu_limit;
  }
  return ended.si_pid;
}

Outcome Pid1::judge_end(const Command& command, int wait_status, const Evidence& evidence) const {
  if (command.verdict) return *command.verdict;
  const Outcome plain = to_outcome(wait_status);
  return command.killed ? plain : judge(plain, limits_, command.before, evidence);
}

void Pid1::finish(pid_t pid, int wait_status, const rusage& used) {
  sudos_.erase(pid);
  const auto at = commands_.find(pid);
  if (at == commands_.end()) return;  // An orphan that became ours.
  Command& command = at->second;
  const Evidence evidence = Evidence::now(cgroup_, limits_);
  Usage usage = to_usage(used, Clock::now() - command.started);
  add_to(usage, command.before, evidence);
  const Ended ended{.outcome = judge_end(command, wait_status, evidence),
                    .usage = usage,
                    .left_daemons = has_children()};
  if (kept_.has(pid)) {
    kept_.end(pid, std::move(command.info), ended);
  } else {
    tell(command.status, StatusMessage(ended));
  }
  commands_.erase(at);
}

void Pid1::enforce_deadlines() {
  const auto now = Clock::now();
  if (end_ <= now) ending_ = true;
  for (auto& [pid, command] : commands_) {
    if (command.verdict) continue;
    if (command.deadline <= now) {
      end_tree(pid, TimedOut{TimeLimit::Wall});
    } else if (idle_deadline(pid, command) <= now) {
      end_tree(pid, TimedOut{TimeLimit::Idle});
    } else if (command.cpu_limit && command.cpu_limit->next_look <= now) {
      check_cpu_limit(pid, *command.cpu_limit);
    }
  }
}

// Often enough to be on time, seldom enough that looking is a small part of our own time.
void Pid1::check_cpu_limit(pid_t pid, CpuLimit& cpu) {
  constexpr std::chrono::microseconds kShortest{10'000};
  constexpr std::chrono::microseconds kLongest{100'000};
  constexpr int kOurShare = 10;
  const auto begin = Clock::now();
  cpu.clock.look(proc_.get());
  if (cpu.clock.used() >= cpu.limit) return end_tree(pid, TimedOut{TimeLimit::Cpu});
  const auto left =
      std::chrono::duration_cast<std::chrono::microseconds>(cpu.limit - cpu.clock.used());
  const auto cost = Clock::now() - begin;
  cpu.next_look = Clock::now() + std::max<Clock::duration>(
                                     std::clamp(left / 4, kShortest, kLongest), cost * kOurShare);
}

Pid1::Clock::time_point Pid1::idle_deadline(pid_t pid, const Command& command) const {
  if (!command.idle_limit) return Clock::time_point::max();
  return deadline_after(*command.idle_limit, kept_.last_output(pid));
}

int Pid1::milliseconds_to_deadline() const {
  auto next = end_;
  for (const auto& [pid, command] : commands_) {
    if (command.verdict) continue;
    next = std::min({next, command.deadline, idle_deadline(pid, command)});
    if (command.cpu_limit) next = std::min(next, command.cpu_limit->next_look);
  }
  return milliseconds_until(next);
}

}  // namespace sandbox
