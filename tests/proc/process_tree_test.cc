#include "proc/process_tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using test::ChildEnd;
using test::in_child;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kTag = 7;
constexpr uint64_t kOtherTag = 8;

// Runs `body` as PID 1 of a pid namespace, which is where signal_tree() may be called: its last
// resort is kill(-1). `proc` is a procfs of that namespace. Children are reaped by themselves.
ChildEnd as_pid1(const std::function<std::string(int proc)>& body) {
  test::require_user_namespaces();
  const std::string map = "0 " + std::to_string(::geteuid()) + " 1";
  return in_child([&] {
    check(::unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS), "unshare");
    write_kernel_file(AT_FDCWD, "/proc/self/uid_map", map);
    const ChildEnd end = in_child([&] {
      check(::mount("proc", "/proc", "proc", 0, nullptr), "mount", "/proc");
      ::signal(SIGCHLD, SIG_IGN);
      const UniqueFd proc{check(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open")};
      return body(proc.get());
    });
    EXPECT_EQ(end.exit_code, 0) << end;
    return end.text;
  });
}

void set_tag(uint64_t tag) {
  const rlimit limit{tag, tag};
  check(::setrlimit(RLIMIT_LOCKS, &limit), "setrlimit");
}

[[noreturn]] void sleep_for_ever() {
  for (;;) ::pause();
}

// Starts `body` with `tag`; when this returns the child has it.
pid_t start_tagged(uint64_t tag, void (*body)()) {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2");
  const UniqueFd ready{ends[0]};
  UniqueFd say_ready{ends[1]};
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    set_tag(tag);
    say_ready.reset();
    body();
    ::_exit(0);
  }
  say_ready.reset();
  char none = 0;
  check(::read(ready.get(), &none, 1), "read");
  return pid;
}

pid_t start_sleeper(uint64_t tag) {
  return start_tagged(tag, [] { sleep_for_ever(); });
}

// A daemon as daemon(3) makes it: no parent, no session in common with who started it.
void become_daemon() {
  if (::fork() != 0) ::_exit(0);
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  sleep_for_ever();
}

// Never more than a few processes alive, and never the same for long.
[[noreturn]] void run_away() {
  for (;;) {
    const pid_t pid = ::fork();
    if (pid > 0) ::_exit(0);
  }
}

template <typename Condition>
bool becomes_true(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::sched_yield();
  }
  return true;
}

char state_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const std::string stat = read_kernel_file(AT_FDCWD, path.c_str());
  return stat.at(stat.rfind(") ") + 2);
}

TEST(ProcessTree, HoldsThoseWithTheTagAndNoOthers) {
  const ChildEnd end = as_pid1([](int proc) {
    const pid_t first = start_sleeper(kTag);
    const pid_t second = start_sleeper(kTag);
    start_sleeper(kOtherTag);
    EXPECT_THAT(find_tree(proc, kTag), UnorderedElementsAre(first, second));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, TagThatStartsWithTheSameDigitsIsAnotherTag) {
  const ChildEnd end = as_pid1([](int proc) {
    start_sleeper(70);
    EXPECT_THAT(find_tree(proc, 7), IsEmpty());
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, DaemonThatForkedTwiceWithItsOwnSessionBelongsToIt) {
  const ChildEnd end = as_pid1([](int proc) {
    start_tagged(kTag, [] { become_daemon(); });
    EXPECT_TRUE(becomes_true([proc] { return find_tree(proc, kTag).size() == 1; }));
    signal_tree(proc, kTag, SIGKILL);
    EXPECT_TRUE(becomes_true([proc] { return find_tree(proc, kTag).empty(); }));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, SignalReachesTheTreeOnly) {
  const ChildEnd end = as_pid1([](int proc) {
    start_sleeper(kTag);
    start_sleeper(kTag);
    const pid_t other = start_sleeper(kOtherTag);
    signal_tree(proc, kTag, SIGTERM);
    EXPECT_TRUE(becomes_true([proc] { return find_tree(proc, kTag).empty(); }));
    EXPECT_THAT(find_tree(proc, kOtherTag), UnorderedElementsAre(other));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

// What proc(5) calls a zombie may be a process whose other threads run.
TEST(ProcessTree, ZombieIsAMemberUntilItIsReaped) {
  const ChildEnd end = as_pid1([](int proc) {
    ::signal(SIGCHLD, SIG_DFL);
    const pid_t pid = start_tagged(kTag, [] {});
    siginfo_t info;
    check(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), "waitid");
    EXPECT_EQ(state_of(pid), 'Z');
    EXPECT_THAT(find_tree(proc, kTag), UnorderedElementsAre(pid));
    check(::waitpid(pid, nullptr, 0), "waitpid");
    EXPECT_THAT(find_tree(proc, kTag), IsEmpty());
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, NameThatLooksLikeAStateDoesNotHideIt) {
  const ChildEnd end = as_pid1([](int proc) {
    const pid_t pid = start_tagged(kTag, [] {
      write_kernel_file(AT_FDCWD, "/proc/self/comm", "x) Z 1 (y");
      sleep_for_ever();
    });
    const std::string comm = "/proc/" + std::to_string(pid) + "/comm";
    EXPECT_TRUE(
        becomes_true([&] { return read_kernel_file(AT_FDCWD, comm.c_str()) == "x) Z 1 (y\n"; }));
    EXPECT_THAT(find_tree(proc, kTag), UnorderedElementsAre(pid));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, TreeThatForksWithoutEndIsGoneAfterSigkill) {
  const ChildEnd end = as_pid1([](int proc) {
    for (int i = 0; i < 3; ++i) start_tagged(kTag, [] { run_away(); });
    signal_tree(proc, kTag, SIGKILL);
    EXPECT_TRUE(becomes_true([proc] { return find_tree(proc, kTag).empty(); }));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, BystandersOfTheFreezeGoOnAsTheyWere) {
  const ChildEnd end = as_pid1([](int proc) {
    const pid_t running = start_sleeper(kOtherTag);
    const pid_t stopped = start_sleeper(kOtherTag);
    ::kill(stopped, SIGSTOP);
    EXPECT_TRUE(becomes_true([stopped] { return state_of(stopped) == 'T'; }));
    for (int i = 0; i < 3; ++i) start_tagged(kTag, [] { run_away(); });
    signal_tree(proc, kTag, SIGKILL);
    EXPECT_TRUE(becomes_true([running] { return state_of(running) == 'S'; }));
    EXPECT_EQ(state_of(stopped), 'T');
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(ProcessTree, EmptyTreeIsNoError) {
  const ChildEnd end = as_pid1([](int proc) {
    signal_tree(proc, kTag, SIGKILL);
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

}  // namespace
}  // namespace sandbox
