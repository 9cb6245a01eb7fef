#pragma once

#include <csignal>
#include <optional>

#include "sandbox/unique_fd.h"

namespace sandboxctl {

/// A request to end that reached this process, or SIGWINCH.
struct ReceivedSignal {
  int number = 0;
  /// From the kernel: Ctrl-C or hang-up of a terminal, which is meant for all of the foreground.
  bool from_terminal = false;
};

/// Takes SIGINT, SIGTERM, SIGHUP and SIGQUIT for as long as it lives and queues them on a pipe.
///
/// And SIGWINCH, which asks for nothing and may come as often as it likes.
///
/// One per process. Signals that were ignored stay ignored (nohup(1)). The first is for the
/// command, the second for the caller to end at once, and a third ends the process where it stands.
class SignalInbox {
 public:
  SignalInbox();
  SignalInbox(const SignalInbox&) = delete;
  SignalInbox& operator=(const SignalInbox&) = delete;
  ~SignalInbox();

  /// From now on also SIGTSTP and SIGCONT, as often as they like.
  void take_stops() const;

  /// Readable when a signal waits; for poll(2).
  int fd() const noexcept { return reader_.get(); }
  std::optional<ReceivedSignal> next() const;
  /// The next that asks to end: for who has no window.
  std::optional<ReceivedSignal> next_ending() const;

 private:
  sandbox::UniqueFd reader_;
};

/// Stops this process as SIGTSTP does where nobody takes it. Returns when it is continued; at once
/// where there is no shell that could do that, setpgid(2).
void stop_like_others();

/// Ends this process by `signal`, without a core file, so that a shell's loop stops as well.
[[noreturn]] void die_by(int signal);

}  // namespace sandboxctl
