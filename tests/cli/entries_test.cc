#include "runtime/sandboxctl/entries.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace sandboxctl {
namespace {

using nlohmann::json;
using sandbox::EntryInfo;
using sandbox::EntryType;
using ::testing::HasSubstr;
using ::testing::Not;

EntryInfo file(const std::string& path, uint64_t size = 0) {
  EntryInfo entry;
  entry.path = path;
  entry.name = path.substr(path.rfind('/') + 1);
  entry.size = size;
  entry.mode = 0644;
  entry.permissions = "-rw-r--r--";
  entry.owner = "user";
  entry.group = "user";
  return entry;
}

EntryInfo directory(const std::string& path) {
  EntryInfo entry = file(path);
  entry.type = EntryType::Directory;
  entry.permissions = "drwxr-xr-x";
  return entry;
}

class Entries : public ::testing::Test {
 protected:
  Entries() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(Entries, ColumnsAreAligned) {
  EXPECT_EQ(entry_table({file("/a", 1), file("/b", 3 << 20)}, false),
            "-rw-r--r--  user  user      1 B  1970-01-01 00:00  a\n"
            "-rw-r--r--  user  user  3.0 MiB  1970-01-01 00:00  b\n");
}

TEST_F(Entries, NamesCannotForgeALineOrSteerTheTerminal) {
  const std::string text = entry_table({file("/a\nb\x1b[2J\xff")}, false);
  EXPECT_THAT(text, HasSubstr("a\\nb\\x1b[2J\\xff\n"));
}

TEST_F(Entries, TargetOfASymlinkIsEscaped) {
  EntryInfo link = file("/a");
  link.symlink_target = "/x\x1b[2J";
  EXPECT_THAT(entry_table({link}, false), HasSubstr("a -> /x\\x1b[2J\n"));
}

TEST_F(Entries, ColoursAreOnlyWhereTheyAreWanted) {
  EXPECT_THAT(entry_table({directory("/a")}, true), HasSubstr("\x1b[34ma\x1b[0m/\n"));
  EXPECT_THAT(entry_table({directory("/a")}, false), Not(HasSubstr("\x1b")));
}

TEST_F(Entries, DirectoryThatCouldNotBeReadSaysWhy) {
  EntryInfo locked = directory("/a");
  locked.list_error = EACCES;
  EXPECT_THAT(entry_table({locked}, false), HasSubstr("a/  [Permission denied]\n"));
}

TEST_F(Entries, TreeShowsWhatLiesBelowWhat) {
  EXPECT_EQ(entry_tree("/t",
                       {directory("/t/a"), directory("/t/a/b"), file("/t/a/b/c"), file("/t/a/d"),
                        file("/t/e")},
                       false),
            "/t\n"
            "├── a/\n"
            "│   ├── b/\n"
            "│   │   └── c\n"
            "│   └── d\n"
            "└── e\n");
}

TEST_F(Entries, TreeOfTheRootHasItsEntriesAtTheFirstLevel) {
  EXPECT_EQ(entry_tree("/", {file("/a")}, false), "/\n└── a\n");
}

TEST_F(Entries, DocumentHasEveryField) {
  EntryInfo entry = file("/home/user/a", 5);
  entry.modified_time += std::chrono::nanoseconds(1'500'000'000);
  entry.metadata = {{"kind", "report"}};
  const json fields = entry_fields(entry);
  EXPECT_EQ(fields, (json{{"name", "a"},
                          {"path", "/home/user/a"},
                          {"symlink_target", nullptr},
                          {"encoding", "utf-8"},
                          {"type", "file"},
                          {"size_bytes", 5},
                          {"mode", "0644"},
                          {"permissions", "-rw-r--r--"},
                          {"owner", "user"},
                          {"group", "user"},
                          {"modified_time", "1970-01-01T00:00:01.500000000Z"},
                          {"metadata", {{"kind", "report"}}}}));
}

TEST_F(Entries, DocumentEscapesBytesThatAreNotUtf8) {
  const json fields = entry_fields(file("/a\xff\\b"));
  EXPECT_EQ(fields["name"], "a\\xff\\\\b");
  EXPECT_EQ(fields["encoding"], "escaped");
}

TEST_F(Entries, DocumentIsAnArrayEvenWhenEmpty) { EXPECT_EQ(entry_document({}), "[]\n"); }

TEST_F(Entries, TimeBeforeTheEpochIsATime) {
  EXPECT_EQ(utc_time(std::chrono::system_clock::time_point(std::chrono::nanoseconds(-1))),
            "1969-12-31T23:59:59.999999999Z");
}

}  // namespace
}  // namespace sandboxctl
