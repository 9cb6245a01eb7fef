// What using the library does to the process it lives in: nothing.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "tests/runtime/box.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::becomes_true;
using test::Box;
using test::ChildEnd;
using test::FailsWith;
using test::in_child;
using test::TempDir;

std::size_t count_entries(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

// What the child of a test returns when a sandbox works for it. No Box, whose probe forks and
// waits.
std::string create_and_run() {
  Runtime runtime;
  const Sandbox box = runtime.create();
  return box.commands().run(Command{.argv = {"echo", "works"}}).stdout_text;
}

// --- Descriptors.

TEST(Host, DescriptorsOfTheHostAreNotInCommands) {
  const int leaky = check(::open("/etc/passwd", O_RDONLY), "open");  // Not close-on-exec.
  EXPECT_EQ(Box().out("ls /proc/self/fd"), "0\n1\n2\n3\n");  // The last is that of the listing.
  ::close(leaky);
}

TEST(Host, DescriptorsOfTheLibraryAreCloseOnExec) {
  std::array<bool, 1024> before{};
  for (int fd = 0; fd < 1024; ++fd)
    before.at(static_cast<std::size_t>(fd)) = ::fcntl(fd, F_GETFD) >= 0;
  const Box box(SandboxOptions{.upper = Upper::Directory});
  const Process process = box.start("exec sleep 1000", {.input = Stdin::Pipe});
  int found = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0 || before.at(static_cast<std::size_t>(fd))) continue;
    ++found;
    EXPECT_EQ(flags, FD_CLOEXEC) << fs::read_symlink("/proc/self/fd/" + std::to_string(fd));
  }
  EXPECT_GT(found, 5);
}

TEST(Host, ClosedStandardDescriptorsAreNoTrouble) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    for (int fd = 0; fd <= 2; ++fd) ::close(fd);
    return create_and_run();
  });
  EXPECT_EQ(end.text, "works\n") << end;
}

TEST(Host, NoDescriptorLeftIsAnErrorAndNotTheEnd) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    Box box;
    const auto open = static_cast<rlim_t>(count_entries("/proc/self/fd"));
    rlimit limit{};
    check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    const rlim_t usual = limit.rlim_cur;
    limit.rlim_cur = open + 1;
    check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    EXPECT_THAT([&] { box.runtime().create(); }, FailsWith(EMFILE));
    EXPECT_THAT([&] { box.sh("true"); }, FailsWith(EMFILE));
    limit.rlim_cur = usual;
    check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    EXPECT_EQ(count_entries("/proc/self/fd"), open);
    return box.out("echo works");
  });
  EXPECT_EQ(end.text, "works\n") << end;
}

// --- Process state.

TEST(Host, DirectoryMaskAndEnvironmentStay) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    ::umask(0123);
    const fs::path cwd = fs::current_path();
    create_and_run();
    EXPECT_EQ(fs::current_path(), cwd);
    EXPECT_EQ(::umask(0), 0123U);
    return std::string(std::getenv("SANDBOX_HOME"));
  });
  EXPECT_EQ(end.exit_code, 0) << end;
  EXPECT_EQ(end.text, std::getenv("SANDBOX_HOME"));
}

TEST(Host, NarrowUmaskDoesNotNarrowTheSandbox) {
  for (const Upper upper : {Upper::Auto, Upper::Directory}) {
    const TempDir data;  // Everything is made under that umask, the skeleton as well.
    const mode_t usual = ::umask(0777);
    std::optional<Runtime> runtime;
    std::optional<Sandbox> box;
    try {
      runtime.emplace(RuntimeOptions{.data_directory = data.path("data")});
      box.emplace(runtime->create({.upper = upper}));
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
    ::umask(usual);
    if (!box) continue;
    const CommandResult modes =
        box->commands().run(Command{.argv = {"stat", "-c", "%a %n", "/", "/etc", "/etc/passwd",
                                             "/home/user", "/root", "/tmp"}});
    EXPECT_EQ(modes.stdout_text,
              "755 /\n755 /etc\n644 /etc/passwd\n755 /home/user\n700 /root\n1777 /tmp\n");
    const CommandResult mask = box->commands().run(Command{.argv = {"sh", "-c", "umask"}});
    EXPECT_EQ(mask.stdout_text, "0022\n");
  }
}

TEST(Host, SignalMaskAndHandlersStay) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGUSR2);
    ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    ::signal(SIGCHLD, [](int) {});
    std::array<struct sigaction, 65> before{};
    for (int s = 1; s < 65; ++s) ::sigaction(s, nullptr, &before.at(static_cast<std::size_t>(s)));
    create_and_run();
    for (int s = 1; s < 65; ++s) {
      struct sigaction now {};
      ::sigaction(s, nullptr, &now);
      EXPECT_EQ(now.sa_handler, before.at(static_cast<std::size_t>(s)).sa_handler) << s;
    }
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    for (int s = 1; s < 65; ++s) EXPECT_EQ(::sigismember(&after, s), s == SIGUSR2 ? 1 : 0) << s;
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Host, SignalsThatTheHostBlocksOrIgnoresWorkInCommands) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    const Box box;
    EXPECT_EQ(box.sh("kill -PIPE $$").outcome, Outcome(Signaled{SIGPIPE, false}));
    return box.out("grep SigBlk /proc/self/status");
  });
  EXPECT_EQ(end.text, "SigBlk:\t0000000000000000\n") << end;
}

TEST(Host, NoThreadIsStarted) {
  const std::size_t before = count_entries("/proc/self/task");
  const Box box;
  const Process process = box.start("exec sleep 1000");
  EXPECT_EQ(count_entries("/proc/self/task"), before);
}

// --- Children.

TEST(Host, MayIgnoreSigchld) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    return create_and_run() + create_and_run();
  });
  EXPECT_EQ(end.text, "works\nworks\n") << end;
}

TEST(Host, MayReapEveryChildInAThreadOfItsOwn) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    std::jthread reaper([](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        ::waitpid(-1, nullptr, WNOHANG);
        std::this_thread::yield();
      }
    });
    std::string said;
    for (int i = 0; i < 10; ++i) said += create_and_run();
    return said == "works\nworks\nworks\nworks\nworks\nworks\nworks\nworks\nworks\nworks\n"
               ? std::string("all")
               : said;
  });
  EXPECT_EQ(end.text, "all") << end;
}

TEST(Host, OwnChildrenAreLeftForTheHostToReap) {
  test::require_user_namespaces();
  const ChildEnd end = in_child([] {
    const pid_t own = check(::fork(), "fork");
    if (own == 0) ::_exit(9);
    create_and_run();
    int status = 0;
    EXPECT_EQ(::waitpid(own, &status, 0), own);
    EXPECT_EQ(WEXITSTATUS(status), 9);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // The launcher is reaped.
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

// --- Threads.

TEST(Host, ThreadThatCreatedASandboxMayExit) {
  std::optional<Box> box;
  std::thread([&box] { box.emplace(); }).join();
  EXPECT_EQ(box->out("echo works"), "works\n");
}

TEST(Host, SixteenThreadsCreateAndRunAtOnce) {
  Box shared;
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] {
        const Command command{.argv = {"echo", std::to_string(i)}};
        for (int round = 0; round < 5; ++round) {
          const Sandbox own = shared.runtime().create();
          if (own.commands().run(command).stdout_text != std::to_string(i) + "\n") continue;
          if (shared.commands().run(command).stdout_text != std::to_string(i) + "\n") continue;
          ++right;
        }
      });
    }
  }
  EXPECT_EQ(right, 16 * 5);
}

// --- Runtime.

TEST(Runtime, MayEndBeforeItsSandboxes) {
  std::optional<Runtime> runtime(std::in_place);
  Sandbox box = runtime->create();
  runtime.reset();
  EXPECT_EQ(box.commands().run(Command{.argv = {"echo", "works"}}).stdout_text, "works\n");
  box.destroy();
}

TEST(Runtime, MovedOneIsTheSame) {
  Runtime first;
  Runtime second = std::move(first);
  Runtime third;
  third = std::move(second);
  const Sandbox box = third.create();
  EXPECT_EQ(box.commands().run(Command{.argv = {"echo", "works"}}).stdout_text, "works\n");
}

// The launcher is the only child that a Runtime of its own process has.
pid_t only_child() {
  std::ifstream children("/proc/thread-self/children");
  pid_t child = 0;
  children >> child;
  return child;
}

TEST(Runtime, LauncherThatWasKilledIsReplaced) {
  const ChildEnd end = in_child([] {
    Runtime runtime;
    Sandbox before = runtime.create();
    const pid_t launcher = only_child();
    ::kill(launcher, SIGKILL);
    siginfo_t dead;
    check(::waitid(P_PID, static_cast<id_t>(launcher), &dead, WEXITED | WNOWAIT), "waitid");
    Sandbox after = runtime.create();
    EXPECT_EQ(before.commands().run({.argv = {"true"}}).outcome, Outcome(Exited{0}));
    EXPECT_EQ(after.commands().run({.argv = {"true"}}).outcome, Outcome(Exited{0}));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(Runtime, TwoInOneDataDirectoryGetAlong) {
  const Runtime first;
  Runtime second;
  const Box box(SandboxOptions{.upper = Upper::Directory});
  const Sandbox other = second.create({.upper = Upper::Directory});
  const Runtime collector;
  EXPECT_EQ(box.out("touch ~/file; ls ~"), "file\n");
}

TEST(Runtime, UnknownTemplateIsEnoentWithTheKnownOnes) {
  Runtime runtime;
  try {
    runtime.create({.template_name = "no-such-template"});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no-such-template"));
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("dir:PATH"));
  }
}

TEST(Runtime, DataDirectoryOthersMayWriteToIsRefused) {
  const TempDir data = TempDir::with({{"data/", ""}});
  fs::permissions(data.path("data"), fs::perms::all);
  EXPECT_THAT([&] { Runtime({.data_directory = data.path("data")}); }, FailsWith(EPERM));
}

TEST(Runtime, DataDirectoryThatIsASymlinkIsRefused) {
  const TempDir data = TempDir::with({{"real/", ""}});
  fs::create_directory_symlink("real", data.path("data"));
  EXPECT_THAT([&] { Runtime({.data_directory = data.path("data")}); }, FailsWith(ENOTDIR));
}

// --- A host that is killed.

// A process with a sandbox on disk, killed by SIGKILL. Its sandbox, as a pidfd.
UniqueFd kill_a_host(const std::string& data) {
  std::array<int, 2> ends{-1, -1};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader{ends[0]};
  UniqueFd writer{ends[1]};
  const pid_t host = check(::fork(), "fork");
  if (host == 0) {
    Runtime runtime({.data_directory = data});
    const Sandbox box = runtime.create({.upper = Upper::Directory});
    Process sleeper = box.commands().start(Command{.argv = {"sleep", "1000"}});
    const pid_t pid = box.host_pid();
    check(::write(writer.get(), &pid, sizeof(pid)), "write");
    for (;;) ::pause();
  }
  writer.reset();
  pid_t pid = 0;
  check(::read(reader.get(), &pid, sizeof(pid)), "read");
  UniqueFd sandbox{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  EXPECT_EQ(count_entries(data + "/boxes"), 1U);
  ::kill(host, SIGKILL);
  ::waitpid(host, nullptr, 0);
  return sandbox;
}

TEST(Host, KilledOneTakesItsSandboxesAlong) {
  test::require_user_namespaces();
  const TempDir data;
  const UniqueFd sandbox = kill_a_host(data.path("data"));
  pollfd end{sandbox.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 20'000), 1);
}

TEST(Host, NextRuntimeCollectsWhatAKilledOneLeft) {
  test::require_user_namespaces();
  const TempDir data;
  const UniqueFd sandbox = kill_a_host(data.path("data"));
  pollfd end{sandbox.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&end, 1, 20'000), 1);
  EXPECT_TRUE(becomes_true([&] {
    const Runtime next({.data_directory = data.path("data")});
    return count_entries(data.path("data/boxes")) == 0;
  }));
}

}  // namespace
}  // namespace sandbox
