#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace sandbox {

/// What sudo is asked for, sudo(8): the part of its options that has a meaning in a sandbox, where
/// there are no passwords and no rules.
struct SudoOptions {
  enum class Shell {
    None,
    Login,   ///< -i: the target's shell, as a login shell in its home.
    Simple,  ///< -s: the shell of $SHELL, else the target's.
  };

  bool help = false;
  std::string user = "root";
  bool keep_environment = false;
  Shell shell = Shell::None;
  std::vector<std::string> variables;  ///< "NAME=value" before the command.
  std::vector<std::string> command;
};

/// Why sudo does nothing, in a sentence.
class SudoRefusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws SudoRefusal for an option that is unknown or means nothing here.
SudoOptions parse_sudo(const std::vector<std::string>& words);

/// The words as a shell command line: everything but letters, digits, _, - and $ gets a backslash,
/// as `sudo -s` does it.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace sandbox
