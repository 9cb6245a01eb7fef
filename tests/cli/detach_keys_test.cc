#include "runtime/sandboxctl/detach_keys.h"

#include <gmock/gmock.h>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

TEST(DetachKeys, AreThoseOfDockerUnlessToldOtherwise) {
  DetachKeys keys;
  EXPECT_EQ(keys.pass("ls\n\x10\x11more"), "ls\n");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeys, BeginningIsHeldBackUntilTheNextKeyTells) {
  DetachKeys keys;
  EXPECT_EQ(keys.pass("\x10"), "");
  EXPECT_FALSE(keys.complete());
  EXPECT_EQ(keys.pass("x"), "\x10x");
  EXPECT_EQ(keys.pass("\x10"), "");
  EXPECT_EQ(keys.pass("\x11"), "");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeys, BeginningTypedTwiceCountsOnce) {
  DetachKeys keys;
  EXPECT_EQ(keys.pass("\x10\x10\x11"), "\x10");
  EXPECT_TRUE(keys.complete());
}

TEST(DetachKeys, MayBeChosen) {
  DetachKeys keys("ctrl-a,d");
  EXPECT_EQ(keys.pass("\x10\x11\x01"
                      "d"),
            "\x10\x11");
  EXPECT_TRUE(keys.complete());
  DetachKeys one("ctrl-]");
  one.pass("\x1d");
  EXPECT_TRUE(one.complete());
  DetachKeys comma(",,x");
  comma.pass(",x");
  EXPECT_TRUE(comma.complete());
}

TEST(DetachKeys, MayBeNone) {
  DetachKeys none("");
  EXPECT_EQ(none.pass("\x10\x11"), "\x10\x11");
  EXPECT_FALSE(none.complete());
}

TEST(DetachKeys, WhatIsNoKeyIsAMistake) {
  for (const char* keys : {"ctrl-", "ctrl-ab", "ctrl-A", "escape", "a,,b", "ctrl-p ctrl-q"}) {
    EXPECT_THROW(DetachKeys{keys}, Failure) << keys;
  }
}

}  // namespace
}  // namespace sandboxctl
