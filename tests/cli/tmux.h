#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_dir.h"

namespace sandbox::test {

/// A real terminal emulator, 100 columns by 30 rows, with a shell of the host in it whose prompt is
/// `host> ` and which, unlike bash(1), leaves the modes of the terminal alone. Skips the test where
/// there is no tmux(1). A server of its own, killed at the end.
class Tmux {
 public:
  explicit Tmux(const std::string& sandbox_home);
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;
  ~Tmux();

  /// Types `text`.
  void type(const std::string& text) const;
  void type_line(const std::string& line) const;
  /// Presses a key by tmux's name for it, such as `C-z`.
  void press(const std::string& key) const;
  void resize(int cols, int rows) const;
  /// Closes the terminal under the programs in it, and opens another.
  void reopen() const;

  /// What is on the screen now.
  std::string screen() const;
  /// Waits until `text` is on the screen; fails the test, with the screen, when it never is.
  void await(const std::string& text) const;
  void clear() const { run({"send-keys", "-R"}); }

  /// A variable of tmux(1), such as `alternate_on`.
  std::string variable(const std::string& name) const;
  /// `stty -a` of the terminal.
  std::string modes() const;
  /// The program that the shell runs in the foreground; -1 when there is none.
  pid_t foreground() const;
  void kill_foreground(int signal) const;

 private:
  std::string run(const std::vector<std::string>& words) const;

  std::string shell_;
  TempDir directory_;
};

}  // namespace sandbox::test
