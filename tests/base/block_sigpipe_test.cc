#include "runtime/base/block_sigpipe.h"

#include <gmock/gmock.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/support/in_child.h"

namespace sandbox {
namespace {

using test::in_child;

// errno of a write to a pipe that nobody reads.
int write_to_closed_pipe() {
  std::array<int, 2> ends{-1, -1};
  check(::pipe(ends.data()), "pipe");
  ::close(ends[0]);
  const UniqueFd writer{ends[1]};
  return ::write(writer.get(), "x", 1) < 0 ? errno : 0;
}

bool is_blocked(int signal) {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return ::sigismember(&mask, signal) == 1;
}

bool is_pending(int signal) {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, signal) == 1;
}

void block(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

TEST(BlockSigpipe, WithoutItTheWriterDies) {
  const auto end = in_child([] {
    ::signal(SIGPIPE, SIG_DFL);
    return std::to_string(write_to_closed_pipe());
  });
  EXPECT_EQ(end.signal, SIGPIPE);
}

TEST(BlockSigpipe, WriteGivesEpipeAndNothingElse) {
  const auto end = in_child([] {
    ::signal(SIGPIPE, SIG_DFL);
    int error = 0;
    {
      const BlockSigpipe blocked;
      error = write_to_closed_pipe();
    }
    EXPECT_FALSE(is_blocked(SIGPIPE));
    EXPECT_FALSE(is_pending(SIGPIPE));
    return std::to_string(error);
  });
  EXPECT_EQ(end.text, std::to_string(EPIPE)) << end;
}

TEST(BlockSigpipe, HostsOwnPendingSignalStaysPending) {
  const auto end = in_child([] {
    block(SIGPIPE);
    ::raise(SIGPIPE);
    {
      const BlockSigpipe blocked;
      write_to_closed_pipe();
    }
    EXPECT_TRUE(is_pending(SIGPIPE));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

TEST(BlockSigpipe, HostThatBlocksItHasItBlockedAfterwards) {
  const auto end = in_child([] {
    block(SIGPIPE);
    {
      const BlockSigpipe blocked;
      write_to_closed_pipe();
    }
    EXPECT_TRUE(is_blocked(SIGPIPE));
    EXPECT_FALSE(is_pending(SIGPIPE));
    return std::string();
  });
  EXPECT_EQ(end.exit_code, 0) << end;
}

}  // namespace
}  // namespace sandbox
