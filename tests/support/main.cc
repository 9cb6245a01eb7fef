// main() of every program of tests.
//
// The tests run in a child, and this process is the subreaper of everything they start
// (PR_SET_CHILD_SUBREAPER, prctl(2)): orphans stay below it, where the leak check finds them, and
// what is still alive after the last test fails the run. The child works in a directory of its own,
// which is also the home of its sandboxes.

#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <thread>

#include "sandbox/error.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

constexpr std::chrono::seconds kTimeToVanish{3};

[[noreturn]] void run_tests(const TempDir& directory, pid_t supervisor) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // ctest ends a test that is too slow by killing our parent.
  if (::getppid() != supervisor) ::_exit(1);
  check(::chdir(directory.path().c_str()), "chdir", directory.path());
  ::setenv("SANDBOX_HOME", directory.path("sandbox-home").c_str(), 1);
  std::exit(RUN_ALL_TESTS());
}

// Reaps orphans until the tests are through.
int wait_for_tests(pid_t tests) {
  while (true) {
    int status = 0;
    if (check(::waitpid(-1, &status, 0), "waitpid") != tests) continue;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    std::fprintf(stderr, "The tests were killed by signal %d.\n", WTERMSIG(status));
    return 1;
  }
}

// A sandbox dies of the end of its owner, a moment after it.
bool all_children_vanish() {
  const auto end = std::chrono::steady_clock::now() + kTimeToVanish;
  while (std::chrono::steady_clock::now() < end) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid < 0 && errno == ECHILD) return true;
    if (pid == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// Their own children become ours then; see the loop in supervise().
void kill_children() {
  std::ifstream children("/proc/thread-self/children");
  for (pid_t pid = 0; children >> pid;) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), name);
    std::fprintf(stderr, "Still alive after the last test: %d (%s)\n", pid, name.c_str());
    ::kill(pid, SIGKILL);
  }
}

int supervise(const TempDir& directory) {
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
  const pid_t supervisor = ::getpid();
  const pid_t tests = check(::fork(), "fork");
  if (tests == 0) run_tests(directory, supervisor);
  const int exit_code = wait_for_tests(tests);
  if (all_children_vanish()) return exit_code;
  do kill_children();
  while (!all_children_vanish());
  return 1;
}

}  // namespace
}  // namespace sandbox::test

int main(int argc, char** argv) {
  try {
    ::testing::InitGoogleMock(&argc, argv);
    const sandbox::test::TempDir directory;
    return sandbox::test::supervise(directory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
