// Signals that wait for sandboxctl to look at them.
#include <gtest/gtest.h>

#include <csignal>

#include "runtime/sandboxctl/signals.h"

namespace sandboxctl {
namespace {

TEST(SignalInbox, WindowSizeAsksForNoEnd) {
  const SignalInbox inbox;
  std::raise(SIGWINCH);
  EXPECT_FALSE(inbox.next_ending());
  std::raise(SIGWINCH);
  std::raise(SIGTERM);
  EXPECT_EQ(inbox.next_ending()->number, SIGTERM);
}

}  // namespace
}  // namespace sandboxctl
