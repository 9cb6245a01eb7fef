#include "tests/support/process_snapshot.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::milliseconds kShort{20};

// A child that waits to be killed.
pid_t start_child() {
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    while (true) ::pause();
  }
  return pid;
}

void end_child(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST(LeakCheck, NothingDoneIsNoDifference) { EXPECT_EQ(LeakCheck().difference(), ""); }

TEST(LeakCheck, SeesADescriptor) {
  std::optional<UniqueFd> leaked;
  const LeakCheck leaks({}, kShort);
  leaked.emplace(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null"));
  EXPECT_THAT(leaks.difference(), HasSubstr("-> /dev/null"));
  leaked.reset();
}

TEST(LeakCheck, SeesAProcess) {
  const LeakCheck leaks({}, kShort);
  const pid_t child = start_child();
  EXPECT_THAT(leaks.difference(), HasSubstr("+ process " + std::to_string(child)));
  end_child(child);
}

TEST(LeakCheck, SeesAnOrphan) {
  const LeakCheck leaks({}, kShort);
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe2");
  const pid_t parent = check(::fork(), "fork");
  if (parent == 0) {
    const pid_t orphan = start_child();
    ::_exit(::write(ends[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
  }
  ::waitpid(parent, nullptr, 0);
  pid_t orphan = 0;
  check(::read(ends[0], &orphan, sizeof orphan), "read");
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_THAT(leaks.difference(), HasSubstr("+ process " + std::to_string(orphan)));
  ::kill(orphan, SIGKILL);
}

TEST(LeakCheck, SeesAZombie) {
  const LeakCheck leaks({}, kShort);
  const pid_t child = start_child();
  ::kill(child, SIGKILL);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_THAT(leaks.difference(), HasSubstr("+ zombie " + std::to_string(child)));
  end_child(child);
}

TEST(LeakCheck, SeesAThread) {
  const LeakCheck leaks({}, kShort);
  std::atomic<bool> done = false;
  std::jthread thread([&] { done.wait(false); });
  EXPECT_THAT(leaks.difference(), HasSubstr("+ thread "));
  done = true;
  done.notify_one();
}

TEST(LeakCheck, SeesAnEntryOfADirectory) {
  const TempDir dir;
  std::optional<LeakCheck> leaks(std::in_place, std::vector{dir.path()}, kShort);
  dir.write("layers/x", "");
  EXPECT_THAT(leaks->difference(), HasSubstr("/layers/x"));
  std::filesystem::remove_all(dir.path("layers"));
  leaks.reset();
}

TEST(LeakCheck, WaitsForAProcessThatIsAboutToEnd) {
  const LeakCheck nothing_left;
  const pid_t child = start_child();
  std::thread([child] { end_child(child); }).detach();
  EXPECT_EQ(nothing_left.difference(), "");
}

}  // namespace
}  // namespace sandbox::test
