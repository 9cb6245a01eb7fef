#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// A program of the machine that does a part of our work, such as skopeo: its stdin is empty, its
/// stdout a pipe, the end of its stderr kept for the error message. Killed at the end of the scope.
class HelperProgram {
 public:
  /// `argv[0]` is looked for in PATH. Throws Error with ENOENT and `hint` when it is not there.
  HelperProgram(const std::vector<std::string>& argv, const std::string& hint);
  HelperProgram(const HelperProgram&) = delete;
  HelperProgram& operator=(const HelperProgram&) = delete;
  ~HelperProgram();

  int stdout_fd() const noexcept { return stdout_.get(); }
  /// Reads what is left of its stdout and waits for its end. Throws Error with EIO and the last
  /// lines of its stderr as hint when it did not exit with 0.
  void finish();

 private:
  std::string name_;
  pid_t pid_ = -1;
  UniqueFd stdout_;
  UniqueFd stderr_;  ///< A memfd: nobody needs to read it while the program writes.
};

}  // namespace sandbox
