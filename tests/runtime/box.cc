#include "tests/runtime/box.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>
#include <utility>

#include "sandbox/error.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

Runtime make_runtime() {
  require_user_namespaces();
  return Runtime();
}

Command shell(const std::string& script, Command how) {
  how.argv = {"/bin/sh", "-c", script};
  return how;
}

}  // namespace

Box::Box(const SandboxOptions& options)
    : runtime_(make_runtime()), sandbox_(runtime_.create(options)) {}

CommandResult Box::sh(const std::string& script, Command how) const {
  return commands().run(shell(script, std::move(how)));
}

std::string Box::out(const std::string& script, Command how) const {
  CommandResult result = sh(script, std::move(how));
  EXPECT_EQ(result.outcome, Outcome(Exited{0})) << script << ": " << to_string(result.outcome);
  EXPECT_EQ(result.stderr_text, "") << script;
  return std::move(result.stdout_text);
}

Process Box::start(const std::string& script, Command how) const {
  return commands().start(shell(script, std::move(how)));
}

bool Box::runs(const std::string& name) const {
  return sh("grep -qxs '" + name + "' /proc/[0-9]*/comm").exit_code() == 0;
}

std::string Box::data_directory() { return std::getenv("SANDBOX_HOME"); }

bool becomes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

void await_output(const Process& process, const std::string& text) {
  std::string so_far;
  std::array<char, 4096> buffer{};
  while (so_far.find(text) == std::string::npos) {
    const ssize_t got =
        check(::read(process.stdout_fd(), buffer.data(), buffer.size()), "read", "stdout");
    if (got == 0) FAIL() << "the command ended with \"" << so_far << '"';
    so_far.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace sandbox::test
