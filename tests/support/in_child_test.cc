#include "tests/support/in_child.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace sandbox::test {
namespace {

TEST(InChild, ReturnsTheTextOfTheBody) {
  EXPECT_EQ(in_child([] { return std::string("done"); }), (ChildEnd{0, 0, "done"}));
}

TEST(InChild, BodyRunsInAnotherProcess) {
  EXPECT_NE(in_child([] { return std::to_string(::getpid()); }).text, std::to_string(::getpid()));
}

TEST(InChild, ExceptionIsReportedByItsText) {
  const auto throws = []() -> std::string { throw std::runtime_error("no"); };
  EXPECT_EQ(in_child(throws), (ChildEnd{1, 0, "no"}));
}

TEST(InChild, SignalIsReported) {
  const auto dies = [] {
    ::raise(SIGKILL);
    return std::string();
  };
  EXPECT_EQ(in_child(dies), (ChildEnd{-1, SIGKILL, ""}));
}

TEST(InChild, ExitCodeOfTheBodyIsKept) {
  EXPECT_EQ(in_child([]() -> std::string { ::_exit(7); }).exit_code, 7);
}

TEST(InChild, FailedExpectationIsNotLost) {
  const auto fails = [] {
    ::close(STDERR_FILENO);
    ::close(STDOUT_FILENO);
    ADD_FAILURE();
    return std::string();
  };
  EXPECT_EQ(in_child(fails).exit_code, 2);
}

}  // namespace
}  // namespace sandbox::test
