#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox::test {

/// How a program ended and what it printed.
struct Ended {
  int exit_code = -1;  ///< -1 when a signal ended it.
  int signal = 0;
  std::string out;
  std::string err;
  uint64_t peak_memory_bytes = 0;  ///< Its largest resident set.
};

/// How a program is started beside its arguments.
struct ProgramSetup {
  std::map<std::string, std::string> env{};  ///< Added to ours.
  std::vector<int> closed_fds{};
  std::string stdout_path{};  ///< Opened for writing in place of the pipe.
};

/// sandboxctl, running with pipes at its stdio. Killed at the end of the scope.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, const ProgramSetup& setup = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const noexcept { return pid_; }
  void write_stdin(const std::string& text) const;
  void close_stdin() noexcept { stdin_.reset(); }
  void close_stdout() noexcept { stdout_.reset(); }
  void signal(int number) const;

  /// Reads until stdout, or stderr, contains `text`. Throws Error with ETIMEDOUT after half a
  /// minute.
  void await_stdout(const std::string& text);
  void await_stderr(const std::string& text);

  /// Closes stdin, reads everything and waits for the end.
  Ended wait();

 private:
  bool read_once();
  void await(const std::string& stream, const std::string& text);

  pid_t pid_ = -1;
  UniqueFd stdin_;
  UniqueFd stdout_;
  UniqueFd stderr_;
  Ended ended_;
};

/// Runs sandboxctl with `arguments` to its end, with `input` as its stdin.
Ended sandboxctl(const std::vector<std::string>& arguments, const std::string& input = {},
                 const ProgramSetup& setup = {});

/// `text` consists of one line, apart from a second one that begins with "hint: ".
bool is_one_line(const std::string& text);

}  // namespace sandbox::test
