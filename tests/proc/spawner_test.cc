#include "proc/spawner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::FailsWith;
using test::in_child;
using test::TempDir;
using ::testing::HasSubstr;

constexpr uint64_t kSpawnTag = 5;

// Installing a filter needs no_new_privs, and neither can be undone: hence the children below.
constexpr sock_filter kAllowAll[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

SpawnRequest request_for(std::vector<std::string> argv) {
  SpawnRequest request;
  request.programs = {argv.front()};
  request.argv = std::move(argv);
  request.cwd = "/";
  return request;
}

struct Spawned {
  int wait_status = 0;
  std::string output;
};

// What `request` printed on both streams, and its wait status.
Spawned spawn_and_wait(const SpawnRequest& request) {
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader{ends[0]};
  Stdio stdio{.in = UniqueFd(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open")),
              .out = UniqueFd(ends[1]),
              .err = UniqueFd(check(::fcntl(ends[1], F_DUPFD_CLOEXEC, 0), "fcntl"))};
  const Spawner spawner({.command_filter = std::as_bytes(std::span(kAllowAll))});
  const pid_t pid = spawner.spawn(request, stdio, kSpawnTag);
  stdio = Stdio{};
  Spawned spawned{.output = read_to_end(reader.get(), "pipe", 1 << 20)};
  check(::waitpid(pid, &spawned.wait_status, 0), "waitpid");
  return spawned;
}

std::string output_of(const std::string& script) {
  const auto end = in_child([&] {
    SpawnRequest request = request_for({"/bin/sh", "-c", script});
    request.env = {"PATH=/usr/bin:/bin"};
    return spawn_and_wait(request).output;
  });
  EXPECT_EQ(end.exit_code, 0) << end;
  return end.text;
}

TEST(Spawner, BothStreamsLeadWhereTheyShould) {
  test::require_no_sanitizer();
  EXPECT_EQ(output_of("echo out; echo err >&2"), "out\nerr\n");
}

TEST(Spawner, CommandHasItsOwnSession) {
  test::require_no_sanitizer();
  EXPECT_EQ(output_of("set -- $(cat /proc/self/stat); [ $6 != 0 ] && [ $6 = $$ ] && echo own"),
            "own\n");
}

TEST(Spawner, CommandCarriesTheTag) {
  test::require_no_sanitizer();
  EXPECT_THAT(output_of("grep 'file locks' /proc/self/limits"),
              ::testing::MatchesRegex("Max file locks +5 +5 +locks *\n"));
}

TEST(Spawner, OnlyThreeDescriptorsAreOpen) {
  test::require_no_sanitizer();
  // The fourth is that of the listing itself.
  EXPECT_EQ(output_of("ls /proc/self/fd"), "0\n1\n2\n3\n");
}

TEST(Spawner, EnvironmentIsTheGivenOne) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    SpawnRequest request = request_for({"/usr/bin/env"});
    request.env = {"A=1", "B=two words"};
    return spawn_and_wait(request).output;
  });
  EXPECT_EQ(end.text, "A=1\nB=two words\n") << end;
}

TEST(Spawner, CwdIsTheGivenOne) {
  test::require_no_sanitizer();
  const TempDir dir;
  const auto end = in_child([&] {
    SpawnRequest request = request_for({"/bin/pwd"});
    request.cwd = dir.path();
    return spawn_and_wait(request).output;
  });
  EXPECT_EQ(end.text, dir.path() + "\n") << end;
}

TEST(Spawner, BlockedSignalsOfTheCallerAreNotBlockedInTheCommand) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    return spawn_and_wait(request_for({"/bin/grep", "SigBlk", "/proc/self/status"})).output;
  });
  EXPECT_EQ(end.text, "SigBlk:\t0000000000000000\n") << end;
}

TEST(Spawner, CallersSignalMaskStays) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    sigset_t only_usr1;
    ::sigemptyset(&only_usr1);
    ::sigaddset(&only_usr1, SIGUSR1);
    ::sigprocmask(SIG_SETMASK, &only_usr1, nullptr);
    spawn_and_wait(request_for({"/bin/true"}));
    sigset_t now;
    ::sigprocmask(SIG_SETMASK, nullptr, &now);
    EXPECT_EQ(::sigismember(&now, SIGUSR1), 1);
    EXPECT_EQ(::sigismember(&now, SIGTERM), 0);
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Spawner, FilterIsInstalled) {
  test::require_no_sanitizer();
  EXPECT_EQ(output_of("grep Seccomp: /proc/self/status"), "Seccomp:\t2\n");
}

TEST(Spawner, LaterCandidateIsTaken) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    SpawnRequest request = request_for({"echo", "hello"});
    request.programs = {"/no/such/echo", "/etc/passwd/echo", "/bin/echo"};
    return spawn_and_wait(request).output;
  });
  EXPECT_EQ(end.text, "hello\n") << end;
}

TEST(Spawner, UnexecutableCandidateIsRememberedWhenNoneIsLeft) {
  test::require_no_sanitizer();
  const TempDir dir = TempDir::with({{"tool", "#!/bin/sh\n"}});
  const auto end = in_child([&] {
    SpawnRequest request = request_for({"tool"});
    request.programs = {dir.path("tool"), "/no/such/tool"};
    EXPECT_THAT([&] { spawn_and_wait(request); }, FailsWith(EACCES, HasSubstr("execve(\"tool\")")));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Spawner, FailedStartLeavesNoChild) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    EXPECT_THAT([] { spawn_and_wait(request_for({"/no/such/program"})); }, FailsWith(ENOENT));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Spawner, MissingCwdIsNamed) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    SpawnRequest request = request_for({"/bin/true"});
    request.cwd = "/no/such/directory";
    EXPECT_THAT([&] { spawn_and_wait(request); },
                FailsWith(ENOENT, HasSubstr("/no/such/directory")));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Spawner, ExitStatusIsTheCommands) {
  test::require_no_sanitizer();
  const auto end = in_child([] {
    const Spawned spawned = spawn_and_wait(request_for({"/bin/sh", "-c", "exit 7"}));
    return std::to_string(WEXITSTATUS(spawned.wait_status));
  });
  EXPECT_EQ(end.text, "7") << end;
}

}  // namespace
}  // namespace sandbox
