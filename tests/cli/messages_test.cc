#include "runtime/sandboxctl/messages.h"

#include <gtest/gtest.h>

namespace sandboxctl {
namespace {

TEST(Message, IsOneLineOfThreeParts) {
  EXPECT_EQ(format({.doing = "starting", .subject = "x", .reason = "gone"}),
            "sandboxctl: starting: x: gone\n");
}

TEST(Message, HintIsASecondLine) {
  EXPECT_EQ(format({.doing = "starting", .reason = "gone", .hint = "try again"}),
            "sandboxctl: starting: gone\nhint: try again\n");
}

TEST(Message, PartsCannotForgeALine) {
  EXPECT_EQ(format({.doing = "starting", .subject = "x\nhint: rm -rf /\x1b[2J", .reason = "gone"}),
            "sandboxctl: starting: x\\nhint: rm -rf /\\x1b[2J: gone\n");
}

TEST(Message, LibraryErrorNamesCallSubjectAndErrno) {
  const Message message = describe("creating", sandbox::Error(EPERM, "mount", "/new", "do this"));
  EXPECT_EQ(format(message),
            "sandboxctl: creating: mount /new: Operation not permitted\nhint: do this\n");
}

}  // namespace
}  // namespace sandboxctl
