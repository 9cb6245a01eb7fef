// main() of every program of tests.
//
// The tests run in a grandchild, below a supervisor that is the subreaper of everything they start
// (PR_SET_CHILD_SUBREAPER, prctl(2)): orphans stay below it, where the leak check finds them, and
// what is still alive after the last test fails the run. The tests work in a directory of their
// own, which is also the home of their sandboxes.
//
// The process that was started only waits. When it is killed, alone or with its process group, the
// supervisor is told and ends what the tests began, sandboxes that outlive programs included.

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

// What a handler may touch.
volatile sig_atomic_t g_tests = 0;

extern "C" void on_end_of_parent(int) {
  if (g_tests > 0) ::kill(g_tests, SIGKILL);
}

[[noreturn]] void run_tests(const TempDir& directory, pid_t supervisor) {
  std::signal(SIGTERM, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(1);
  check(::chdir(directory.path().c_str()), "chdir", directory.path());
  ::setenv("SANDBOX_HOME", directory.path("sandbox-home").c_str(), 1);
  std::exit(RUN_ALL_TESTS());
}

// Reaps orphans until the tests are through.
int wait_for_tests(pid_t tests) {
  while (true) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    if (pid < 0 && errno == EINTR) continue;
    if (check(pid, "waitpid") != tests) continue;
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

// Before there are tests to kill, the signal is the end of us as well.
void end_with(pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
}

pid_t start_tests(const TempDir& directory) {
  sigset_t term;
  sigset_t old;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, &old);
  struct sigaction action {};
  action.sa_handler = on_end_of_parent;
  ::sigaction(SIGTERM, &action, nullptr);
  const pid_t supervisor = ::getpid();
  const pid_t tests = check(::fork(), "fork");
  g_tests = tests;
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
  if (tests == 0) run_tests(directory, supervisor);
  return tests;
}

int supervise(const TempDir& directory) {
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
  const int exit_code = wait_for_tests(start_tests(directory));
  if (all_children_vanish()) return exit_code;
  do kill_children();
  while (!all_children_vanish());
  return 1;
}

int wait_for(pid_t supervisor) {
  int status = 0;
  while (::waitpid(supervisor, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace sandbox::test

int main(int argc, char** argv) {
  try {
    ::testing::InitGoogleMock(&argc, argv);
    const pid_t parent = ::getpid();
    const pid_t supervisor = sandbox::check(::fork(), "fork");
    if (supervisor != 0) return sandbox::test::wait_for(supervisor);
    sandbox::test::end_with(parent);
    const sandbox::test::TempDir directory;
    return sandbox::test::supervise(directory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
