#include "proc/pseudo_terminal.h"

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "sandbox/error.h"

namespace sandbox {
namespace {

// devpts gives a new node to the file system uid of who opens its multiplexer. Changing the owner
// afterwards would take CAP_CHOWN, which init does not use.
class ActAsOwner {
 public:
  explicit ActAsOwner(uid_t owner) : old_(::setfsuid(owner)) {}
  ActAsOwner(const ActAsOwner&) = delete;
  ActAsOwner& operator=(const ActAsOwner&) = delete;
  ~ActAsOwner() { ::setfsuid(static_cast<uid_t>(old_)); }

 private:
  int old_;
};

// On the mount that init made, which nobody inside can cover.
UniqueFd open_master(uid_t owner) {
  const ActAsOwner acting(owner);
  return UniqueFd(
      check(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), "open", "/dev/pts/ptmx"));
}

// So that a backspace takes a character and not a byte: termios(3).
void speak_utf8(int terminal) {
  termios modes{};
  check(::tcgetattr(terminal, &modes), "tcgetattr");
  modes.c_iflag |= IUTF8;
  check(::tcsetattr(terminal, TCSANOW, &modes), "tcsetattr");
}

}  // namespace

PseudoTerminal open_pseudo_terminal(TerminalSize size, uid_t owner) {
  PseudoTerminal terminal;
  terminal.master = open_master(owner);
  constexpr int kUnlocked = 0;
  check(::ioctl(terminal.master.get(), TIOCSPTLCK, &kUnlocked), "ioctl(TIOCSPTLCK)");
  // Not by the path of the node: CVE-2025-52565.
  const int slave = ::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  terminal.slave.reset(check(slave, "ioctl(TIOCGPTPEER)"));
  set_terminal_size(terminal.master.get(), size);
  speak_utf8(terminal.slave.get());
  return terminal;
}

void set_terminal_size(int terminal, TerminalSize size) {
  winsize window{};
  window.ws_col = size.cols;
  window.ws_row = size.rows;
  check(::ioctl(terminal, TIOCSWINSZ, &window), "ioctl(TIOCSWINSZ)", "terminal");
}

}  // namespace sandbox
