#include "runtime/sandboxctl/watch_changes.h"

#include <gtest/gtest.h>

namespace sandboxctl {
namespace {

using sandbox::WatchEvent;
using sandbox::WatchEventType;

TEST(ChangeLine, TellsTheKindAndTheName) {
  EXPECT_EQ(change_line({WatchEventType::Create, "a/b", {}}, false), "create  a/b\n");
  EXPECT_EQ(change_line({WatchEventType::Chmod, "a", {}}, false), "chmod   a\n");
}

TEST(ChangeLine, WatchedDirectoryItselfIsADot) {
  EXPECT_EQ(change_line({WatchEventType::Remove, "", {}}, false), "remove  .\n");
}

TEST(ChangeLine, NamesCannotForgeALine) {
  EXPECT_EQ(change_line({WatchEventType::Create, "a\nremove  b\x1b[2J", {}}, false),
            "create  a\\nremove  b\\x1b[2J\n");
}

TEST(ChangeLine, JsonIsOneLine) {
  EXPECT_EQ(change_line({WatchEventType::Write, "a\nb", {}}, true),
            R"({"type":"write","name":"a\nb","encoding":"utf-8"})"
            "\n");
  EXPECT_EQ(change_line({WatchEventType::Rescan, "\xff", {}}, true),
            R"({"type":"rescan","name":"\\xff","encoding":"escaped"})"
            "\n");
}

}  // namespace
}  // namespace sandboxctl
