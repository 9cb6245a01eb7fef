#include "runtime/sandboxctl/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/signals.h"
#include "runtime/sandboxctl/text.h"

namespace sandboxctl {

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

bool colour_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return is_terminal(STDOUT_FILENO) && (no_color == nullptr || *no_color == '\0');
}

size_t terminal_width(int fd) noexcept {
  winsize size{};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string coloured(std::string text, const char* colour, bool wanted) {
  if (!wanted) return text;
  return std::string("\x1b[") + colour + "m" + text + "\x1b[0m";
}

size_t width_of(std::string_view text) {
  size_t width = 0;
  for (; !text.empty(); ++width) text.remove_prefix(first_character(text).length);
  return width;
}

std::string_view cut(std::string_view text, size_t width) {
  size_t length = 0;
  for (; width > 0 && length < text.size(); --width) {
    length += first_character(text.substr(length)).length;
  }
  return text.substr(0, length);
}

void print_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) die_by(SIGPIPE);
    if (written < 0) throw system_failure("writing", "stdout");
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace sandboxctl
