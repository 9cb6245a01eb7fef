#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
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

/// More output came than the command may have, and OnExcess::Kill.
struct LimitReached {
  pid_t pid = 0;
  uint64_t limit_bytes = 0;
};

/// The client of a command that is not kept went away without Detach.
struct Abandoned {
  pid_t pid = 0;
};

using KeptEvent = std::variant<SignalWanted, LimitReached, Abandoned>;

enum class Follow {
  No,        ///< What there is now, then the end.
  Yes,       ///< Until the command has ended.
  AtItsPace  ///< The same, and a command in a terminal waits while this client does not read.
};

/// The commands whose output goes through PID 1: it is read as it comes, held in bounded rings, and
/// given to any number of clients, each at its own speed and from the offset that it asks for.
///
/// Who does not read holds up nobody else: not the command, not PID 1, not another client. A client
/// that falls behind the ring is told Gap before the bytes that follow it. Two kinds of command do
/// wait: one that is not kept, and is here for its limits, for its one client, as one with plain
/// pipes does; and one in a terminal for those who type in it, as for any terminal that is slow.
///
/// Ended commands stay, with outcome and output, within bounds: the oldest are given up first.
///
/// Single-threaded. Waits nowhere; the caller waits for fd() beside its other descriptors.
class KeptCommands {
 public:
  /// What is held at most.
  struct Bounds {
    std::size_t ended_commands = 256;
    std::size_t ring_bytes = 64 << 20;  ///< All rings. Beyond it new ones do not grow over a page.
  };

  /// Our ends of a command's stdio.
  struct Sources {
    UniqueFd out;    ///< Pipe, or the master of a terminal.
    UniqueFd err;    ///< Pipe; empty with a terminal.
    UniqueFd input;  ///< Each client gets a copy. Empty when stdin is at its end.
  };

  /// Who wants the output of a command, and from where on.
  struct Client {
    MessageSocket status;
    UniqueFd out;  ///< Writer ends of pipes that nobody else writes to. Empty: not wanted.
    UniqueFd err;
    uint64_t out_from = 0;  ///< Offset of the first byte wanted.
    uint64_t err_from = 0;
    Follow follow = Follow::Yes;
  };

  KeptCommands() : KeptCommands(Bounds()) {}
  explicit KeptCommands(const Bounds& bounds);

  /// Readable when handle_events() has something to do.
  int fd() const noexcept { return epoll_.get(); }

  /// Moves what can be moved without waiting.
  std::vector<KeptEvent> handle_events();

  /// A command has been started. An ended one with the same pid is given up. `tree` is the value
  /// that process_tree.h knows its processes by.
  void add(pid_t pid, Sources sources, const OutputPolicy& policy, uint64_t tree);

  /// Answers Started, with a copy of the command's input if it has one, then gives the client its
  /// output. Ended is told when the command ends, or at once when it has; the pipes are closed when
  /// all that it had written by then is in them. With Follow::No all that there is now is
  /// delivered, and everything closed. Answers StartFailed with ESRCH for a pid that is not here,
  /// EINVAL for an offset beyond the end and for a command that is not kept and has its client.
  void connect(pid_t pid, Client client);

  /// The command has ended. What it had written is still in the pipes and will be delivered.
  void end(pid_t pid, CommandInfo info, const Ended& ended);

  /// A command with this pid was started elsewhere: an ended one of that name is given up.
  void give_up(pid_t pid);

  bool has(pid_t pid) const noexcept { return commands_.contains(pid); }
  /// When it last printed something, or was added; now, while its client holds it up. The command
  /// must be here.
  std::chrono::steady_clock::time_point last_output(pid_t pid) const;
  /// What add() was given; nothing for a pid that is not here.
  std::optional<uint64_t> tree_of(pid_t pid) const;
  /// Fills in how much it has printed, for one that is here.
  void count_output(CommandInfo& info) const;
  /// Those that have ended and are kept, by pid.
  std::vector<CommandInfo> ended() const;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kStreams = 2;

  struct Command {
    OutputPolicy policy;
    uint64_t tree = 0;
    std::array<KeptStream, 2> streams;
    UniqueFd input;
    Clock::time_point started;
    Clock::time_point last_output;
    std::list<KeptClient> clients;
    bool had_client = false;
    bool limit_told = false;
    // Of one that has ended.
    std::optional<Ended> ended;
    CommandInfo info;
    uint64_t ended_as = 0;  // Counts the ends.
    Clock::time_point linger_until;
  };
  // How long output is awaited after the command's end from daemons that keep a pipe open: as
  // Process::stream does for one with plain pipes.
  static constexpr std::chrono::milliseconds kLinger{100};
  using Entry = std::map<pid_t, Command>::iterator;

  // What a descriptor in epoll_ belongs to.
  enum class Role { Source, Tap, Status, Timer };
  struct Watch {
    Role role = Role::Timer;
    pid_t pid = 0;
    std::size_t stream = 0;
    KeptClient* client = nullptr;
    uint32_t events = 0;
  };

  void handle(const Watch& watch, uint32_t events);
  void take_output(Entry at, std::size_t stream);
  void take_waiting(Entry at);
  void take_request(Entry at, KeptClient& client);
  void drop_client(Entry at, KeptClient& client);
  void lose_client(Entry at, KeptClient& client);

  Entry find_for(pid_t pid);
  void admit(Entry at, Client wish);

  void advance(Entry at);
  void advance_client(Entry at, KeptClient& client);
  void advance_tap(const Command& command, KeptClient& client, std::size_t stream);
  void close_tap(KeptClient& client, std::size_t stream);
  void close_source(Command& command, std::size_t stream);
  void close_unread_sources(Command& command);
  static std::size_t room_for(const Command& command, std::size_t stream);
  void watch_sources(Entry at);
  void watch_client(Entry at, KeptClient& client);

  void make_room(const Command& owner, OutputRing& ring, std::size_t bytes);
  std::size_t ring_bytes() const;
  bool give_up_oldest(const Command* except, bool with_open_sources);
  void erase(Entry at);
  void start_linger();
  void end_linger();
  void watch(int fd, const Watch& watch);
  void unwatch(int fd);

  Bounds bounds_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::vector<char> buffer_;
  std::map<pid_t, Command> commands_;
  std::map<int, Watch> watches_;
  std::vector<KeptEvent> wanted_;
  std::deque<pid_t> given_up_;
  uint64_t ends_ = 0;
};

}  // namespace sandbox
