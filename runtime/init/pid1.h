#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "proc/spawner.h"
#include "runtime/base/child_signal.h"
#include "runtime/base/message_socket.h"
#include "sandbox/outcome.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Starts commands, reaps every orphan and holds the clocks, until the control socket is closed.
///
/// Single-threaded; waits in epoll_wait(2) and nowhere else. When the host closes its end or dies,
/// the process exits and the kernel ends everything in the namespace, pid_namespaces(7).
class Pid1 {
 public:
  struct Means {
    MessageSocket control;                  ///< Requests of the host.
    UniqueFd proc;                          ///< Shows all processes of the pid namespace.
    std::vector<std::byte> command_filter;  ///< sock_filter[] for each command.
    bool can_change_ids = false;
  };

  explicit Pid1(Means means);

  /// Returns when the sandbox is to end.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  struct Command {
    MessageSocket status;
    uint64_t tag = 0;
    Clock::time_point started;
    Clock::time_point deadline = Clock::time_point::max();
    bool timed_out = false;
  };

  bool handle_control();
  void start(Message message);
  void handle_status(int status_fd);
  void reap();
  void finish(pid_t pid, int wait_status, const rusage& used);
  void enforce_deadlines();
  int milliseconds_to_deadline() const;
  void watch(int fd);

  MessageSocket control_;
  UniqueFd proc_;
  std::vector<std::byte> command_filter_;
  Spawner spawner_;
  UniqueFd epoll_;
  ChildSignal child_signal_;
  uint64_t next_tag_ = 1;
  std::map<pid_t, Command> commands_;
};

}  // namespace sandbox
