#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/runtime.h"
#include "tests/cli/program.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {

/// A detached sandbox for sandboxctl to find, in a data directory of its own. Skips the test where
/// the machine has no user namespaces.
class LiveBox {
 public:
  LiveBox();
  LiveBox(const LiveBox&) = delete;
  LiveBox& operator=(const LiveBox&) = delete;
  ~LiveBox();

  const std::string& id() const noexcept { return box_.id(); }
  /// `ID:path`.
  std::string at(const std::string& path) const { return id() + ":" + path; }
  /// With SANDBOX_HOME set to the data directory.
  ProgramSetup setup(ProgramSetup setup = {}) const;
  /// sandboxctl in that data directory.
  Ended run(const std::vector<std::string>& words, const std::string& input = {},
            const ProgramSetup& setup = {}) const;
  /// What `script` printed in the sandbox; fails the test unless it ends with 0.
  std::string sh(const std::string& script) const;
  /// Removes what is in the home directory.
  void clear_home() const;
  /// Ends it before its time.
  void destroy() { box_.destroy(); }

 private:
  TempDir home_;
  Runtime runtime_;
  Sandbox box_;
};

/// A sandbox that the tests of a suite share, each with an empty home directory; each must leave
/// nothing on the host.
class LiveBoxTest : public ::testing::Test {
 protected:
  LiveBoxTest();
  static void TearDownTestSuite() { shared.reset(); }

  const LiveBox& box() const noexcept { return *shared; }
  std::string inside(const std::string& path) const { return shared->at(path); }

 private:
  inline static std::unique_ptr<LiveBox> shared;
  std::optional<LeakCheck> nothing_left_;
};

}  // namespace sandbox::test
