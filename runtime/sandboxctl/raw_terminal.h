#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string_view>

#include "sandbox/process.h"
#include "sandbox/unique_fd.h"

namespace sandboxctl {

/// Size of the terminal that is our stdin, 80 by 24 when it does not say.
sandbox::TerminalSize terminal_size();

/// The same; throws Failure (usage) in the name of `subject` when stdin is no terminal.
sandbox::TerminalSize require_terminal(std::string_view subject);

/// Our stdin as a raw terminal, for as long as this object lives: every key is for the terminal
/// inside, which does the echoing and makes the signals.
///
/// The modes are put back by the destructor. When this process is killed, a child of it does that,
/// which is in a session of its own and waits for nothing else; only who kills both, or a crash of
/// the machine, leaves a raw terminal (`stty sane`). What the program inside may have switched on
/// in the emulator (mouse, alternate screen, hidden cursor) is switched off as well.
class RawTerminal {
 public:
  /// Throws Failure when stdin is no terminal.
  RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  /// As it was before, while this process is stopped.
  void suspend() const noexcept;
  /// Raw again. Stops this process while it is in the background, as every program that would
  /// change the terminal then: tcsetattr(3).
  void resume() const noexcept;

 private:
  void start_guard();

  termios old_modes_{};
  termios raw_modes_{};
  pid_t guard_ = -1;
  sandbox::UniqueFd guarded_;  // At its end of file the guard knows that we are gone.
};

}  // namespace sandboxctl
