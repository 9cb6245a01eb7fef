#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "sandbox/error.h"

namespace sandbox::test {
namespace {

TEST(LeavesProcessAndWaits, UntilItIsKilled) {
  const pid_t left = check(::fork(), "fork");
  if (left == 0) ::setsid();
  if (left > 0) std::printf("\nleft %d\n", left);
  std::fflush(stdout);
  while (true) ::pause();
}

}  // namespace
}  // namespace sandbox::test
