#pragma once

#include <string>
#include <vector>

#include "tests/cli/program.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {

/// A data directory of its own for the verbs that work on detached sandboxes. Whatever lives in it
/// is removed in the end, and must then leave no process, mount or file.
class DetachedBoxes {
 public:
  /// Skips the test where the machine has no user namespaces.
  DetachedBoxes();
  ~DetachedBoxes();

  /// Runs sandboxctl in it.
  Ended sandboxctl(const std::vector<std::string>& words, const std::string& input = {}) const;
  ProgramSetup setup() const;
  std::string path(std::string_view relative = {}) const { return home_.path(relative); }

  /// The id of a new sandbox, made with `options` of `create`.
  std::string create(std::vector<std::string> options = {}) const;

 private:
  TempDir home_;
  LeakCheck nothing_left_;
};

}  // namespace sandbox::test
