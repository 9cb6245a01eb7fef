#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proc/control_request.h"
#include "proc/cpu_clock.h"
#include "proc/kept_commands.h"
#include "proc/payload_cgroup.h"
#include "proc/spawner.h"
#include "proc/verdict.h"
#include "runtime/base/child_signal.h"
#include "runtime/base/message_socket.h"
#include "runtime/init/plumbing.h"
#include "sandbox/command_info.h"
#include "sandbox/outcome.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Starts commands, reaps every orphan and holds the clocks, until the sandbox is to end.
///
/// Single-threaded; waits in epoll_wait(2) and nowhere else. An owned sandbox ends when its owner
/// closes the control connection or dies; a detached one, which has a listener, once its creator
/// has released it, when its time is up or it is killed. The process then exits and the kernel ends
/// everything in the namespace, pid_namespaces(7).
class Pid1 {
 public:
  struct Means {
    MessageSocket owner;                    ///< Control connection of who created the sandbox.
    UniqueFd listener;                      ///< For further ones; none in an owned sandbox.
    UniqueFd root;                          ///< O_PATH, of "/", if others may connect later.
    uint64_t ttl_ms = 0;                    ///< When it is to end; 0: never.
    UniqueFd proc;                          ///< Shows all processes of the pid namespace.
    std::vector<std::byte> command_filter;  ///< sock_filter[] for each command.
    bool can_change_ids = false;
    PayloadCgroup cgroup;  ///< Of commands, if they have one.
    KnownLimits limits;
    CommandRlimits rlimits;
    UniqueFd sudo_listener;  ///< Where `sudo_user` asks for other users; may be none.
    uid_t sudo_user = 0;
  };

  explicit Pid1(Means means);

  /// Returns when the sandbox is to end.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  struct CpuLimit {
    CpuClock clock;
    std::chrono::milliseconds limit;
    Clock::time_point next_look;

    CpuLimit(uint64_t tree, uint64_t limit_ms) : clock(tree), limit(limit_ms) {}
  };

  struct Command {
    MessageSocket status;
    uint64_t tag = 0;
    Clock::time_point started;
    Clock::time_point deadline = Clock::time_point::max();
    std::optional<std::chrono::milliseconds> idle_limit;
    std::optional<CpuLimit> cpu_limit;
    std::optional<Outcome> verdict;  // Why we killed it.
    CommandInfo info;
    bool detached = false;  // Runs on without anybody at the other end of `status`.
    bool killed = false;    // By the host: nobody need ask why.
    Evidence before;
  };

  void handle(int fd);
  void accept_client();
  void accept_sudo();
  void handle_client(int fd);
  void answer(Message message);
  void start(const SpawnRequest& request, MessageSocket status, std::vector<UniqueFd> stdio);
  void hand_over(pid_t pid, Plumbing plumbing, const SpawnRequest& request, MessageSocket status);
  void connect(const ConnectRequest& request, MessageSocket status, std::vector<UniqueFd> fds);
  std::vector<CommandInfo> list() const;
  pid_t find_tagged(const std::string& tag) const;
  bool signal(const SignalCommand& request);
  void handle_kept();
  void end_tree(pid_t pid, const Outcome& why);
  State describe() const;
  void give_namespaces(const MessageSocket& reply) const;
  void handle_status(int status_fd);
  void reap();
  pid_t next_to_reap(CpuLimit*& payer);
  Outcome judge_end(const Command& command, int wait_status, const Evidence& evidence) const;
  void finish(pid_t pid, int wait_status, const rusage& used);
  void abandon(Command& command);
  void enforce_deadlines();
  Clock::time_point idle_deadline(pid_t pid, const Command& command) const;
  void check_cpu_limit(pid_t pid, CpuLimit& cpu);
  int milliseconds_to_deadline() const;
  void set_ttl(uint64_t ttl_ms);
  void watch(int fd);
  void unwatch(int fd);

  UniqueFd listener_;
  UniqueFd root_;
  UniqueFd proc_;
  std::vector<std::byte> command_filter_;
  PayloadCgroup cgroup_;
  KnownLimits limits_;
  Spawner spawner_;
  UniqueFd sudo_listener_;
  uid_t sudo_user_ = 0;
  UniqueFd epoll_;
  ChildSignal child_signal_;
  KeptCommands kept_;
  int owner_ = -1;  // Key of the connection whose end is the end of the sandbox; -1: none is.
  bool ending_ = false;
  Clock::time_point end_ = Clock::time_point::max();
  uint64_t next_tag_ = 1;
  std::map<int, MessageSocket> clients_;  // Control connections, by descriptor.
  std::map<pid_t, Command> commands_;
  std::set<pid_t> sudos_;  // Processes of start_sudo().
};

}  // namespace sandbox
