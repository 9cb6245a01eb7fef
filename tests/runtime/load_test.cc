// Many commands, much output and many orphans in one sandbox: all exact, and nothing left.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/runtime/box.h"
#include "tests/support/process_snapshot.h"

namespace sandbox {
namespace {

using test::Box;

// More than init has descriptors for (1024): one that is lost with each command shows.
constexpr int kManyCommands = 1100;
constexpr std::size_t kAtOnce = 32;

void in_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

Command exit_with(int code) {
  return {.argv = {"/bin/sh", "-c", "echo " + std::to_string(code) + "; exit $1", "sh",
                   std::to_string(code % 256)}};
}

bool is_exact(const CommandResult& result, int code) {
  return result.outcome == Outcome(Exited{code % 256}) &&
         result.stdout_text == std::to_string(code) + "\n" && result.stderr_text.empty();
}

// Beside init, which hides. Zombies included: what is not reaped has a directory there too.
std::size_t processes_in(const Box& box) {
  const std::string pids =
      box.out("cd /proc; for pid in [0-9]*; do [ $pid = $$ ] || echo $pid; done");
  return static_cast<std::size_t>(std::count(pids.begin(), pids.end(), '\n'));
}

TEST(Load, ManyCommandsOneAfterTheOtherAreExact) {
  const Box box;
  box.sh("true");
  const test::LeakCheck nothing_left;
  for (int i = 0; i < kManyCommands; ++i) {
    ASSERT_TRUE(is_exact(box.commands().run(exit_with(i)), i)) << i;
  }
  EXPECT_EQ(processes_in(box), 0U);
}

TEST(Load, ManyKeptCommandsOneAfterTheOtherAreExact) {
  const Box box;
  box.sh("true");
  const test::LeakCheck nothing_left;
  for (int i = 0; i < kManyCommands; ++i) {
    Command command = exit_with(i);
    command.output = Output::Kept;
    command.input = Stdin::Pipe;
    ASSERT_TRUE(is_exact(box.commands().run(command), i)) << i;
  }
  EXPECT_EQ(processes_in(box), 0U);
  EXPECT_EQ(box.commands().list().size(), 256U);
}

TEST(Load, CommandsOfManyThreadsAreExact) {
  const Box box;
  std::atomic<int> exact = 0;
  in_threads(kAtOnce, [&](std::size_t thread) {
    for (int i = 0; i < 10; ++i) {
      Command command = exit_with(static_cast<int>(thread) * 10 + i);
      if (i % 2 == 1) command.output = Output::Kept;
      exact += is_exact(box.commands().run(command), static_cast<int>(thread) * 10 + i) ? 1 : 0;
    }
  });
  EXPECT_EQ(exact, static_cast<int>(kAtOnce) * 10);
  EXPECT_EQ(processes_in(box), 0U);
}

TEST(Load, StreamsAtOnceAreExact) {
  const Box box;
  const std::string expected = box.out("seq 200000");
  std::atomic<std::size_t> exact = 0;
  in_threads(kAtOnce, [&](std::size_t thread) {
    Command how;
    // Straight to us, and by way of init.
    if (thread % 2 == 1) how.max_output = expected.size();
    exact += box.out("seq 200000", how) == expected ? 1 : 0;
  });
  EXPECT_EQ(exact, kAtOnce);
}

TEST(Load, ReaderThatNeverReadsHoldsUpItsOwnCommandOnly) {
  const Box box;
  const Process plain = box.start("yes");
  const Process limited = box.start("yes", {.max_output = 1 << 30});
  const Process kept = box.start("yes", {.output = Output::Kept});
  EXPECT_GE(processes_in(box), 3U);  // For the tests above: it would see one that is left.
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(is_exact(box.commands().run(exit_with(i)), i)) << i;
}

}  // namespace
}  // namespace sandbox
