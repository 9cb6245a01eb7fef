#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proc/control_request.h"
#include "proc/kept_commands.h"
#include "proc/payload_cgroup.h"
#include "proc/spawner.h"
#include "proc/verdict.h"
#include "runtime/base/message_socket.h"
#include "runtime/init/event_queue.h"
#include "runtime/init/plumbing.h"
#include "runtime/init/running_command.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// The commands of a sandbox, from start to end: who reads them, their clocks, who ended them.
///
/// Part of PID 1, whose events it shares; waits nowhere itself.
class CommandTable {
 public:
  struct Means {
    UniqueFd proc;                          ///< Shows all processes of the pid namespace.
    std::vector<std::byte> command_filter;  ///< sock_filter[] for each command.
    bool can_change_ids = false;
    PayloadCgroup cgroup;  ///< Of commands, if they have one.
    KnownLimits limits;
    CommandRlimits rlimits;
  };

  CommandTable(Means means, EventQueue& events);

  /// Answered on `status`; `fds` as Commands::start sends them.
  void start(const SpawnRequest& request, MessageSocket status, std::vector<UniqueFd> fds);
  /// The same as control_request.h has it.
  void connect(const ConnectRequest& request, MessageSocket status, std::vector<UniqueFd> fds);
  std::vector<CommandInfo> list() const;
  /// False when it has ended; of its tree there may still be something left.
  bool signal(const SignalCommand& request);

  /// To be called when this is readable.
  int kept_fd() const noexcept { return kept_.fd(); }
  void handle_kept();
  /// To be called when a descriptor is readable that is nobody else's.
  void handle_status(int status_fd);
  /// Reaps all that has ended, and names each.
  void reap(const std::function<void(pid_t)>& reaped);
  /// Stops all, until somebody thaws the cgroup. False when they have none, or it cannot be.
  bool freeze() const { return cgroup_.freeze(); }
  void enforce_deadlines();
  /// When to call that next.
  std::chrono::steady_clock::time_point next_deadline() const;

  int proc() const noexcept { return proc_.get(); }
  const Spawner& spawner() const noexcept { return spawner_; }

 private:
  using Clock = std::chrono::steady_clock;

  void hand_over(pid_t pid, Plumbing plumbing, const SpawnRequest& request, MessageSocket status);
  pid_t find_tagged(const std::string& tag) const;
  void end_tree(pid_t pid, const Outcome& why);
  void abandon(RunningCommand& command);
  pid_t next_to_reap(CpuLimit*& payer);
  void finish(pid_t pid, int wait_status, const rusage& used);
  Clock::time_point idle_deadline(pid_t pid, const RunningCommand& command) const;

  std::vector<std::byte> command_filter_;
  PayloadCgroup cgroup_;
  KnownLimits limits_;
  UniqueFd proc_;
  Spawner spawner_;
  EventQueue& events_;
  KeptCommands kept_;
  uint64_t next_tag_ = 1;
  std::map<pid_t, RunningCommand> commands_;
};

}  // namespace sandbox
