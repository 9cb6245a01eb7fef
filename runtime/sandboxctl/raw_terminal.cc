#include "runtime/sandboxctl/raw_terminal.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/error.h"

namespace sandboxctl {
namespace {

// Where the guard has the other end of the pipe.
constexpr int kGuardFd = 3;

// Harmless for a terminal in its normal state. Alternate screen, mouse in its five ways, bracketed
// paste, application cursor keys and keypad off; cursor on; plain characters: ctlseqs of xterm.
constexpr std::string_view kCalmDown =
    "\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l"
    "\x1b[?1l\x1b>\x1b[?25h\x1b[0m";

// Also from the background, where it would stop us: the terminal is to be as it was in any case.
void set_modes(const termios& modes) noexcept {
  sigset_t ttou;
  sigset_t old;
  ::sigemptyset(&ttou);
  ::sigaddset(&ttou, SIGTTOU);
  ::sigprocmask(SIG_BLOCK, &ttou, &old);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
}

bool are_set(const termios& modes) noexcept {
  termios now{};
  return ::tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag == modes.c_lflag &&
         now.c_iflag == modes.c_iflag && now.c_oflag == modes.c_oflag;
}

// A session of its own keeps the signals of the terminal and of kill(1) with our group away. The
// modes may have been changed by whoever noticed our end first: then they are his.
[[noreturn]] void guard(const termios& raw, const termios& old) noexcept {
  ::setsid();
  ::close_range(kGuardFd + 1, ~0U, 0);
  ::close(STDOUT_FILENO);
  ::close(STDERR_FILENO);
  char byte = 0;
  ssize_t got = -1;
  do {
    got = ::read(kGuardFd, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 0 && are_set(raw)) set_modes(old);
  ::_exit(0);
}

}  // namespace

sandbox::TerminalSize terminal_size() {
  winsize window{};
  sandbox::TerminalSize size;
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0) return size;
  if (window.ws_col > 0) size.cols = window.ws_col;
  if (window.ws_row > 0) size.rows = window.ws_row;
  return size;
}

sandbox::TerminalSize require_terminal(std::string_view subject) {
  if (::isatty(STDIN_FILENO) == 1) return terminal_size();
  throw usage_error(subject, "stdin is not a terminal",
                    "run this in a terminal, or pass a stream with 'run -i' or 'exec -i'");
}

RawTerminal::RawTerminal() {
  if (::tcgetattr(STDIN_FILENO, &old_modes_) != 0) {
    throw system_failure("reading the modes of the terminal", "stdin");
  }
  raw_modes_ = old_modes_;
  ::cfmakeraw(&raw_modes_);
  start_guard();
  set_modes(raw_modes_);
}

void RawTerminal::start_guard() {
  int ends[2];
  sandbox::check(::pipe2(ends, O_CLOEXEC), "pipe2");
  sandbox::UniqueFd reader(ends[0]);
  guarded_.reset(ends[1]);
  guard_ = sandbox::check(::fork(), "fork");
  if (guard_ != 0) return;
  ::dup2(reader.release(), kGuardFd);
  guard(raw_modes_, old_modes_);
}

void RawTerminal::suspend() const noexcept {
  if (::isatty(STDOUT_FILENO) == 1) {
    [[maybe_unused]] const ssize_t wrote =
        ::write(STDOUT_FILENO, kCalmDown.data(), kCalmDown.size());
  }
  set_modes(old_modes_);
}

void RawTerminal::resume() const noexcept {
  while (::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw_modes_) != 0 && errno == EINTR) {
  }
}

RawTerminal::~RawTerminal() {
  suspend();
  // One byte is "all is well".
  [[maybe_unused]] const ssize_t told = ::write(guarded_.get(), "", 1);
  guarded_.reset();
  while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace sandboxctl
