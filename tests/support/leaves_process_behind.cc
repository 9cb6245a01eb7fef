#include <gtest/gtest.h>
#include <unistd.h>

#include "sandbox/error.h"

namespace sandbox::test {
namespace {

TEST(LeavesProcessBehind, Passes) {
  if (check(::fork(), "fork") == 0) {
    while (true) ::pause();
  }
}

}  // namespace
}  // namespace sandbox::test
