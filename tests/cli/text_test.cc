#include "runtime/sandboxctl/text.h"

#include <gtest/gtest.h>

namespace sandboxctl {
namespace {

TEST(Text, OrdinaryTextIsLeftAlone) {
  EXPECT_EQ(escape_for_terminal("caf\u00e9 \u4e2d \U0001F600 a\\b"),
            "caf\u00e9 \u4e2d \U0001F600 a\\b");
}

TEST(Text, EscapeSequencesDoNotReachTheTerminal) {
  EXPECT_EQ(escape_for_terminal("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(escape_for_terminal("\u009b2J"), "\\u{009b}2J");  // The C1 form of ESC [.
  EXPECT_EQ(escape_for_terminal("\x7f"), "\\x7f");
}

TEST(Text, LineBreaksDoNotForgeALine) {
  EXPECT_EQ(escape_for_terminal("a\nb\r\t\u2028"), "a\\nb\\r\\t\\u{2028}");
}

TEST(Text, BidirectionalOverridesAreShown) {
  EXPECT_EQ(escape_for_terminal("\u202egpj.exe\u2066"), "\\u{202e}gpj.exe\\u{2066}");
}

TEST(Text, BytesThatAreNotUtf8AreShown) {
  EXPECT_EQ(escape_for_terminal("\xff\x80"), "\\xff\\x80");
  EXPECT_EQ(escape_for_terminal("\xc0\xaf"), "\\xc0\\xaf");                    // Overlong '/'.
  EXPECT_EQ(escape_for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // A surrogate.
  EXPECT_EQ(escape_for_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // Above U+10FFFF.
  EXPECT_EQ(escape_for_terminal("\xe4\xb8"), "\\xe4\\xb8");                    // Cut short.
}

TEST(Text, EscapedBytesAreReversible) {
  EXPECT_EQ(escape_bytes("\\xff"), "\\\\xff");
  EXPECT_EQ(escape_bytes("\xff"), "\\xff");
}

TEST(Text, Utf8IsRecognised) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("caf\u00e9"));
  EXPECT_FALSE(is_utf8("caf\xe9"));
}

TEST(Text, EditDistanceCountsChanges) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

}  // namespace
}  // namespace sandboxctl
