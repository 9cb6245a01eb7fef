#include "runtime/init/command_table.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <variant>

#include "proc/process_tree.h"
#include "proc/status_message.h"
#include "runtime/base/deadline.h"
#include "runtime/init/command_facts.h"
#include "runtime/init/readable.h"
#include "runtime/init/tell.h"
#include "sandbox/error.h"

namespace sandbox {

CommandTable::CommandTable(Means means, EventQueue& events)
    : command_filter_(std::move(means.command_filter)),
      cgroup_(std::move(means.cgroup)),
      limits_(means.limits),
      proc_(std::move(means.proc)),
      spawner_({.command_filter = command_filter_,
                .can_change_ids = means.can_change_ids,
                .rlimits = means.rlimits,
                .cgroup = cgroup_.exists() ? &cgroup_ : nullptr}),
      events_(events) {
  events_.watch(kept_.fd());
}

void CommandTable::start(const SpawnRequest& request, MessageSocket status,
                         std::vector<UniqueFd> fds) {
  try {
    Plumbing plumbing = lay_pipes(request, std::move(fds));
    RunningCommand command(request, next_tag_++, Evidence::now(cgroup_, limits_));
    const pid_t pid = spawner_.spawn(request, plumbing.stdio, command.tag);
    // Before the host knows of it: a command that closes its stdin must be the last to have it.
    plumbing.stdio = Stdio();
    command.info = facts_of(request, pid);
    const auto at = commands_.insert_or_assign(pid, std::move(command)).first;
    kept_.give_up(pid);
    if (plumbing.through_us) return hand_over(pid, std::move(plumbing), request, std::move(status));
    const int master = plumbing.terminal.get();
    tell(status, StatusMessage(Started{pid}), {&master, plumbing.terminal ? 1U : 0U});
    events_.watch(status.fd());
    at->second.status = std::move(status);
  } catch (const Error& error) {
    tell(status, StatusMessage(to_failure(error)));
  }
}

// Its host is a client like others, only the first.
void CommandTable::hand_over(pid_t pid, Plumbing plumbing, const SpawnRequest& request,
                             MessageSocket status) {
  kept_.add(pid, std::move(plumbing.sources), request.output, commands_.at(pid).tag);
  kept_.connect(pid, {.status = std::move(status),
                      .out = std::move(plumbing.client_out),
                      .err = std::move(plumbing.client_err),
                      .follow = Follow::AtItsPace});
}

void CommandTable::connect(const ConnectRequest& request, MessageSocket status,
                           std::vector<UniqueFd> fds) {
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

std::vector<CommandInfo> CommandTable::list() const {
  std::vector<CommandInfo> all = kept_.ended();
  for (const auto& [pid, command] : commands_) {
    CommandInfo& info = all.emplace_back(command.info);
    info.state = is_stopped(proc_.get(), pid) ? CommandState::Stopped : CommandState::Running;
    info.age = command.age();
    kept_.count_output(info);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
  return all;
}

// 0, which is nobody, when there is none.
pid_t CommandTable::find_tagged(const std::string& tag) const {
  std::optional<CommandInfo> newest;
  for (CommandInfo& info : list()) {
    if (info.tag != tag || info.output != Output::Kept) continue;
    // Of two in one millisecond the later has the higher pid, by which the list is sorted.
    if (!newest || info.age <= newest->age) newest = std::move(info);
  }
  return newest ? newest->pid : 0;
}

// False when it has ended; of its tree there may still be something left.
bool CommandTable::signal(const SignalCommand& request) {
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

void CommandTable::handle_kept() {
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

void CommandTable::end_tree(pid_t pid, const Outcome& why) {
  const auto at = commands_.find(pid);
  if (at == commands_.end()) return;
  if (!at->second.verdict) at->second.verdict = why;
  signal_tree(proc_.get(), at->second.tag, SIGKILL);
}

// The host sends signals here. That it closes its end is the end of the command, unless it said
// before that the command is to run on.
void CommandTable::handle_status(int status_fd) {
  const auto at = std::find_if(commands_.begin(), commands_.end(), [status_fd](const auto& entry) {
    return entry.second.status.fd() == status_fd;
  });
  if (at == commands_.end()) return;
  auto& [pid, command] = *at;
  if (!is_readable(status_fd)) return;
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

void CommandTable::abandon(RunningCommand& command) {
  events_.unwatch(command.status.fd());
  if (!command.detached) signal_tree(proc_.get(), command.tag, SIGKILL);
}

void CommandTable::reap(const std::function<void(pid_t)>& reaped) {
  int status = 0;
  rusage used{};
  CpuLimit* payer = nullptr;
  pid_t pid = 0;
  while ((pid = ::wait4(next_to_reap(payer), &status, WNOHANG, &used)) > 0) {
    if (payer != nullptr) payer->charge(used);
    reaped(pid);
    finish(pid, status, used);
  }
}

// Anybody, unless time has to be charged: whose an orphan was is not known once it is reaped.
pid_t CommandTable::next_to_reap(CpuLimit*& payer) {
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

void CommandTable::finish(pid_t pid, int wait_status, const rusage& used) {
  const auto at = commands_.find(pid);
  if (at == commands_.end()) return;  // An orphan that became ours.
  RunningCommand& command = at->second;
  const Ended ended = end_of(command, wait_status, used, limits_, Evidence::now(cgroup_, limits_));
  if (kept_.has(pid)) {
    kept_.end(pid, std::move(command.info), ended);
  } else {
    tell(command.status, StatusMessage(ended));
  }
  commands_.erase(at);
}

void CommandTable::enforce_deadlines() {
  const auto now = Clock::now();
  for (auto& [pid, command] : commands_) {
    if (command.verdict) continue;
    if (command.deadline <= now) {
      end_tree(pid, TimedOut{TimeLimit::Wall});
    } else if (idle_deadline(pid, command) <= now) {
      end_tree(pid, TimedOut{TimeLimit::Idle});
    } else if (command.cpu_limit && command.cpu_limit->next_look() <= now &&
               command.cpu_limit->is_used_up(proc_.get())) {
      end_tree(pid, TimedOut{TimeLimit::Cpu});
    }
  }
}

CommandTable::Clock::time_point CommandTable::idle_deadline(pid_t pid,
                                                            const RunningCommand& command) const {
  if (!command.idle_limit) return Clock::time_point::max();
  return deadline_after(*command.idle_limit, kept_.last_output(pid));
}

CommandTable::Clock::time_point CommandTable::next_deadline() const {
  auto next = Clock::time_point::max();
  for (const auto& [pid, command] : commands_) {
    if (command.verdict) continue;
    next = std::min({next, command.deadline, idle_deadline(pid, command)});
    if (command.cpu_limit) next = std::min(next, command.cpu_limit->next_look());
  }
  return next;
}

}  // namespace sandbox
