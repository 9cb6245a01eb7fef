#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <vector>

#include "proc/control_request.h"
#include "runtime/base/child_signal.h"
#include "runtime/base/message_socket.h"
#include "runtime/init/command_table.h"
#include "runtime/init/event_queue.h"
#include "sandbox/options.h"
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
    MessageSocket owner;  ///< Control connection of who created the sandbox.
    UniqueFd listener;    ///< For further ones; none in an owned sandbox.
    UniqueFd root;        ///< O_PATH, of "/", if others may connect later.
    uint64_t ttl_ms = 0;  ///< How long it is to live; 0: forever.
    TtlAction ttl_action = TtlAction::Kill;
    CommandTable::Means commands;
    UniqueFd sudo_listener;  ///< Where `sudo_user` asks for other users; may be none.
    uid_t sudo_user = 0;
  };

  explicit Pid1(Means means);

  /// Returns when the sandbox is to end.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  // Who has asked: the socket for the answer, and what else came with the question.
  struct Asker {
    MessageSocket reply;
    std::vector<UniqueFd> fds = {};
  };

  void handle(int fd);
  void reap();
  void accept_client();
  void accept_sudo();
  void handle_client(int fd);
  void answer(Message message);
  void answer(const SpawnRequest& request, Asker asker);
  void answer(const ConnectRequest& request, Asker asker);
  void answer(const ListCommands& request, const Asker& asker);
  void answer(const SignalCommand& request, const Asker& asker);
  void answer(const Release& request, const Asker& asker);
  void answer(const GetRoot& request, const Asker& asker);
  void answer(const SetTtl& request, const Asker& asker);
  void answer(const RenewTtl& request, const Asker& asker);
  void answer(const Describe& request, const Asker& asker);
  void answer(const GetNamespaces& request, const Asker& asker);
  void answer(const GetTcpTables& request, const Asker& asker);
  void answer(const Dial& request, const Asker& asker);
  void give_files(const Asker& asker, std::initializer_list<const char*> paths) const;
  void set_ttl(uint64_t ttl_ms);
  void end_ttl();

  UniqueFd listener_;
  UniqueFd root_;
  UniqueFd sudo_listener_;
  uid_t sudo_user_ = 0;
  EventQueue events_;
  ChildSignal child_signal_;
  CommandTable commands_;
  int owner_ = -1;  // Key of the connection whose end is the end of the sandbox; -1: none is.
  bool ending_ = false;
  uint64_t ttl_ms_ = 0;
  TtlAction ttl_action_;
  bool ttl_over_ = false;
  Clock::time_point end_ = Clock::time_point::max();
  std::map<int, MessageSocket> clients_;  // Control connections, by descriptor.
  std::set<pid_t> sudos_;                 // Processes of start_sudo().
};

}  // namespace sandbox
