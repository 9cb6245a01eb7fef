#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <string_view>
#include <variant>
#include <vector>

#include "proc/kept_client.h"
#include "proc/kept_stream.h"
#include "proc/status_message.h"
#include "runtime/base/message_socket.h"
#include "sandbox/command_info.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// What a client of a command, or the command's output, asks of PID 1.

struct SignalWanted {
  pid_t pid = 0;
  SignalRequest request;
};

/// More output than the command may have, and OnExcess::Kill.
struct LimitReached {
  pid_t pid = 0;
};

/// The only client of a command that is not kept went away without Detach.
struct Abandoned {
  pid_t pid = 0;
};

using KeptEvent = std::variant<SignalWanted, LimitReached, Abandoned>;

/// The commands whose output goes through PID 1: it is read as it comes, kept in bounded rings, and
/// given to any number of clients, each at its own speed and from the offset that it asks for.
///
/// For kept commands nobody who does not read holds up anybody else: not the command, not PID 1,
/// not another client. A client that falls behind the ring is told Gap before the bytes that follow
/// it. A command that is not kept but comes here for its limits waits for its client, as a command
/// on a pipe does.
///
/// Ended commands stay, with outcome and output, within bounds: the oldest are given up first.
///
/// Single-threaded. Waits nowhere; the caller waits for fd() beside its other descriptors.
class KeptCommands {
 public:
  /// What may be held at most.
  struct Bounds {
    std::size_t ended_commands = 256;
    std::size_t ring_bytes = 64 << 20;  ///< All rings together; beyond it new rings stay small.
  };

  /// Our ends of a command's stdio.
  struct Sources {
    UniqueFd out;    ///< Pipe, or the master of a terminal.
    UniqueFd err;    ///< Pipe; empty for a terminal.
    UniqueFd input;  ///< A copy goes to each client. Empty when stdin is at its end.
  };

  /// A client and where it wants the output.
  struct Client {
    MessageSocket status;
    UniqueFd out;  ///< Writer ends of pipes that nobody else writes to; may be empty.
    UniqueFd err;
    uint64_t out_from = 0;  ///< Offsets of the first bytes that it wants.
    uint64_t err_from = 0;
    Follow follow = Follow::Yes;
  };

  KeptCommands() : KeptCommands(Bounds()) {}
  explicit KeptCommands(Bounds bounds);

  /// Readable when handle_events() has something to do; for poll(2) and epoll(7).
  int fd() const noexcept { return epoll_.get(); }

  /// Moves what can be moved without waiting.
  std::vector<KeptEvent> handle_events();

  /// A command has been started. An ended one with the same pid is given up.
  void add(pid_t pid, Sources sources, const OutputPolicy& policy);

  /// Answers Started, with a copy of the command's input if it has one, and gives the client its
  /// output from then on. When the command has ended, or does, Ended is sent at once; the pipes are
  /// closed when all that the command had written is in them. With Follow::No all that there is now
  /// is delivered and everything closed. Throws Error: ESRCH for a pid that is not here, EINVAL for
  /// an offset beyond the end.
  void connect(pid_t pid, Client client);

  /// The command has ended: what it has written is still in the pipes and will be delivered.
  void end(pid_t pid, CommandInfo info, const Ended& ended);

  /// A command with this pid was started that does not come here: it is the only one by that name.
  void give_up(pid_t pid);

  bool has(pid_t pid) const noexcept { return commands_.contains(pid); }
  /// When it last printed something or was started. The command must be here.
  std::chrono::steady_clock::time_point last_output(pid_t pid) const;
  /// Fills in how much it has printed. Nothing happens for one that is not here.
  void count_output(CommandInfo& info) const;
  /// Those that have ended and are kept, by pid.
  std::vector<CommandInfo> ended() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Command {
    OutputPolicy policy;
    std::array<KeptStream, 2> streams;
    UniqueFd input;
    Clock::time_point last_output;
    std::list<KeptClient> clients;
    bool limit_told = false;
    // Of one that has ended.
    std::optional<Ended> ended;
    CommandInfo info;
    uint64_t ended_as = 0;  // Counts the ends.
    Clock::time_point linger_until;
  };

  // What a descriptor in epoll_ belongs to.
  enum class Role { Source, Output, Status, Linger };
  struct Watch {
    Role role = Role::Source;
    pid_t pid = 0;
    std::size_t stream = 0;
    KeptClient* client = nullptr;
    uint32_t events = 0;
  };

  void handle(const Watch& watch, uint32_t events, std::vector<KeptEvent>& demands);
  void take_output(pid_t pid, Command& command, std::size_t stream);
  void handle_status(pid_t pid, Command& command, KeptClient& client,
                     std::vector<KeptEvent>& demands);
  void lose(pid_t pid, Command& command, KeptClient& client);
  void advance(pid_t pid);
  void advance_client(pid_t pid, Command& command, KeptClient& client);
  void close_unread_sources(Command& command);
  void watch_sources(pid_t pid, Command& command);
  void watch_client(pid_t pid, KeptClient& client);
  void make_room(const Command& owner, OutputRing& ring, std::size_t bytes);
  void drain(Command& command);
  bool give_up_oldest(const Command* except, bool with_open_sources);
  void erase(std::map<pid_t, Command>::iterator at);
  void end_linger();
  void start_linger();
  void watch(int fd, const Watch& watch);
  void unwatch(int fd);

  Bounds bounds_;
  UniqueFd epoll_;
  UniqueFd linger_timer_;
  std::vector<char> buffer_;
  std::map<pid_t, Command> commands_;
  std::map<int, Watch> watches_;
  std::deque<pid_t> given_up_;
  uint64_t ends_ = 0;
};

}  // namespace sandbox
