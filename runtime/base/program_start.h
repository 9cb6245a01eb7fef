#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// A helper program to be started by posix_spawn(3), which costs the same in a host of any size.
///
/// It gets /dev/null as stdin, stdout and stderr unless they are named here, the descriptors named
/// here and none else, an empty environment unless one is set, and no signal blocked or ignored,
/// whatever the host does with its own.
class ProgramStart {
 public:
  /// `fd` is to be number `number` in the program. Throws Error.
  void pass(int fd, int number);
  /// In a session of its own: a Ctrl-C at the host's terminal is for the host to handle.
  void in_new_session() noexcept { new_session_ = true; }

  /// "NAME=value" each, in place of an empty environment.
  void set_environment(std::vector<std::string> variables) noexcept {
    environment_ = std::move(variables);
  }
  /// As a shell starts a program: looked for in PATH, with the environment of this process.
  void as_shell_does() noexcept { as_shell_does_ = true; }

  /// Starts `path` with `argv`. The caller waits for it. Throws Error.
  pid_t run(const std::string& path, const std::vector<std::string>& argv) const;

 private:
  std::vector<std::pair<UniqueFd, int>> passed_;
  std::vector<std::string> environment_;
  bool new_session_ = false;
  bool as_shell_does_ = false;
};

}  // namespace sandbox
