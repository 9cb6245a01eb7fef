#include "sandbox/text.h"

#include <gtest/gtest.h>

namespace sandbox {
namespace {

TEST(EscapeForTerminal, OrdinaryTextStays) {
  EXPECT_EQ(escape_for_terminal("Zażółć 日本語 🙂 a b"), "Zażółć 日本語 🙂 a b");
}

TEST(EscapeForTerminal, ControlCharactersBecomeVisible) {
  EXPECT_EQ(escape_for_terminal("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(escape_for_terminal("\xc2\x9b"
                                "2J"),
            "\\u{9b}2J");
  EXPECT_EQ(escape_for_terminal(std::string_view("\0", 1)), "\\x00");
}

TEST(EscapeForTerminal, ResultIsUnambiguous) { EXPECT_EQ(escape_for_terminal("\\x1b"), "\\\\x1b"); }

TEST(EscapeForTerminal, HiddenAndReorderingCharactersBecomeVisible) {
  EXPECT_EQ(escape_for_terminal("a\u202etxt.exe\u200b"), "a\\u{202e}txt.exe\\u{200b}");
}

TEST(EscapeForTerminal, BytesThatAreNotUtf8BecomeVisible) {
  EXPECT_EQ(escape_for_terminal("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(escape_for_terminal("\xc0\x80"), "\\xc0\\x80");                    // Overlong NUL.
  EXPECT_EQ(escape_for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // Surrogate.
  EXPECT_EQ(escape_for_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // Beyond Unicode.
}

TEST(ToUtf8, TextStaysAndBytesAreKept) {
  EXPECT_EQ(to_utf8("100% zażółć"), "100% zażółć");
  EXPECT_EQ(to_utf8("100%\xff"), "100%25%FF");
  EXPECT_TRUE(is_utf8(to_utf8("\x80\xfe\xc3(")));
}

}  // namespace
}  // namespace sandbox
