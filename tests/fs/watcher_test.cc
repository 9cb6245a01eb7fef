#include "sandbox/watcher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;

constexpr std::chrono::seconds kDeadline{10};

const char* name_of(WatchEventType type) {
  constexpr const char* kNames[] = {"create", "write", "remove", "rename", "chmod", "rescan"};
  return kNames[static_cast<size_t>(type)];
}

std::string text_of(const WatchEvent& event) {
  return std::string(name_of(event.type)) + ' ' + event.name;
}

class WatcherTest : public ::testing::TestWithParam<RootKind> {
 protected:
  const Files& files() const { return root_.files(); }
  std::string inside(std::string_view path) const { return root_.inside(path); }

  // Events up to the one for `last`, which the test makes after all others.
  static std::vector<std::string> events_until(Watcher& watcher, const std::string& last) {
    std::vector<std::string> texts;
    for (;;) {
      const std::optional<WatchEvent> event = watcher.next(kDeadline);
      if (!event) {
        ADD_FAILURE() << "no event for " << last;
        return texts;
      }
      if (event->name == last) return texts;
      texts.push_back(text_of(*event));
    }
  }

  std::vector<std::string> events(Watcher& watcher) const {
    root_.as_payload([&] { ::mkdir(inside("/home/user/end").c_str(), 0755); });
    std::vector<std::string> texts = events_until(watcher, "end");
    return texts;
  }

  TestRoot root_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Roots, WatcherTest, kAllRoots, ::testing::PrintToStringParamName());

TEST_P(WatcherTest, FreshWriteGivesCreateChmodWrite) {
  Watcher watcher = files().watch("~");
  files().write("a", "x");
  EXPECT_THAT(events(watcher), ElementsAre("create a", "chmod a", "write a"));
}

TEST_P(WatcherTest, PayloadsChangesAreSeen) {
  Watcher watcher = files().watch("~");
  root_.write("/home/user/a", "x");
  root_.as_payload([&] {
    ::chmod(inside("/home/user/a").c_str(), 0600);
    ::rename(inside("/home/user/a").c_str(), inside("/home/user/b").c_str());
    ::unlink(inside("/home/user/b").c_str());
  });
  EXPECT_THAT(events(watcher),
              ElementsAre("create a", "write a", "chmod a", "rename a", "create b", "remove b"));
}

TEST_P(WatcherTest, EntriesComeWhenAskedFor) {
  Watcher watcher = files().watch("~", {.include_entry = true});
  files().write("a", "12345");
  const WatchEvent event = watcher.next(kDeadline).value();
  ASSERT_TRUE(event.entry.has_value());
  EXPECT_EQ(event.entry->path, "/home/user/a");
  files().remove("a");
  std::optional<WatchEvent> last = watcher.next(kDeadline);
  while (last && last->type != WatchEventType::Remove) last = watcher.next(kDeadline);
  ASSERT_TRUE(last.has_value());
  EXPECT_FALSE(last->entry.has_value());
}

TEST_P(WatcherTest, NotRecursiveMeansNotBelow) {
  files().make_dir("dir");
  Watcher watcher = files().watch("~");
  root_.write("/home/user/dir/file", "x");
  EXPECT_THAT(events(watcher), IsEmpty());
}

TEST_P(WatcherTest, FilesInADirectoryMadeLaterAreSeen) {
  Watcher watcher = files().watch("~", {.recursive = true});
  for (const char* name : {"new/1", "new/2", "new/3"})
    root_.write(std::string("/home/user/") + name, "");
  EXPECT_THAT(events(watcher),
              UnorderedElementsAre("create new", "create new/1", "create new/2", "create new/3"));
}

TEST_P(WatcherTest, WhatIsWrittenBeforeWeLookIsReportedAsWritten) {
  Watcher watcher = files().watch("~", {.recursive = true});
  root_.write("/home/user/new/full", "content");
  EXPECT_THAT(events(watcher), Contains("write new/full"));
}

TEST_P(WatcherTest, NothingInFastGrowingTreesIsMissedOrInvented) {
  constexpr int kTrees = 200;
  Watcher watcher = files().watch("~", {.recursive = true});
  std::jthread payload([&] {
    root_.as_payload([&] {
      for (int tree = 0; tree < kTrees; ++tree) {
        std::string path = inside("/home/user/t" + std::to_string(tree));
        for (int level = 0; level < 5; ++level) {
          ::mkdir(path.c_str(), 0755);
          ::close(::open((path + "/f").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
          path += "/d";
        }
      }
      ::mkdir(inside("/home/user/end").c_str(), 0755);
    });
  });
  std::map<std::string, int> count;
  for (const std::string& text : events_until(watcher, "end")) ++count[text];
  EXPECT_EQ(count.size(), kTrees * 10U);
  for (const auto& [text, times] : count) EXPECT_EQ(times, 1) << text;
}

// Of each entry it was made, then it was removed, and nothing else.
void expect_made_and_removed(Watcher& watcher, size_t entries, std::atomic<size_t>& events) {
  std::map<std::string, std::vector<WatchEventType>> seen;
  for (size_t total = 0; total < 2 * entries; ++total) {
    const std::optional<WatchEvent> event = watcher.next(kDeadline);
    ASSERT_TRUE(event.has_value()) << total;
    ASSERT_NE(event->type, WatchEventType::Rescan);
    seen[event->name].push_back(event->type);
    ++events;
  }
  EXPECT_EQ(seen.size(), entries);
  for (const auto& [name, types] : seen) {
    ASSERT_THAT(types, ElementsAre(WatchEventType::Create, WatchEventType::Remove)) << name;
  }
  EXPECT_THAT(watcher.drain(), IsEmpty());
}

TEST_P(WatcherTest, HundredThousandEventsOfFourWritersForTwoWatchers) {
  if (!is_overlay(GetParam())) return;  // On a disk it takes 20 s, and shows the same.
  constexpr size_t kFiles = 12'500;     // Each is created and removed.
  Watcher watcher = files().watch("~");
  Watcher second = files().watch("~", {.recursive = true});
  // Less than the kernel keeps (16,384), for on a busy machine readers may get no time for a while.
  constexpr size_t kAhead = 12'000;
  std::atomic<size_t> made = 0;
  std::atomic<size_t> seen = 0;
  std::atomic<size_t> seen_by_second = 0;
  std::vector<std::jthread> writers;
  writers.reserve(4);
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      root_.as_payload([&] {
        const UniqueFd home(::open(inside("/home/user").c_str(), O_PATH | O_CLOEXEC));
        for (size_t file = 0; file < kFiles; ++file) {
          const std::string name = std::to_string(writer) + '.' + std::to_string(file);
          ::mkdirat(home.get(), name.c_str(), 0755);
          ::unlinkat(home.get(), name.c_str(), AT_REMOVEDIR);
          made += 2;
          while (made > std::min(seen.load(), seen_by_second.load()) + kAhead)
            std::this_thread::yield();
        }
      });
    });
  }
  // Every watcher gets all of them.
  std::jthread other([&] { expect_made_and_removed(second, 4 * kFiles, seen_by_second); });
  expect_made_and_removed(watcher, 4 * kFiles, seen);
}

TEST_P(WatcherTest, OverflowAsksForARescanAndGoesOn) {
  if (!is_overlay(GetParam())) return;  // On a disk it takes 50 s, and shows the same.
  size_t limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  if (limit > 100'000) GTEST_SKIP() << "fs.inotify.max_queued_events is too high to be reached";
  Watcher watcher = files().watch("~", {.recursive = true});
  root_.as_payload([&] {
    const UniqueFd home(::open(inside("/home/user").c_str(), O_PATH | O_CLOEXEC));
    ::mkdirat(home.get(), "lost", 0755);
    for (size_t file = 0; file <= limit; ++file) {
      ::mkdirat(home.get(), "x", 0755);
      ::unlinkat(home.get(), "x", AT_REMOVEDIR);
    }
    ::mkdirat(home.get(), "unseen", 0755);  // Its event is lost.
  });
  const std::vector<WatchEvent> before = watcher.drain();
  EXPECT_TRUE(std::any_of(before.begin(), before.end(), [](const WatchEvent& event) {
    return event.type == WatchEventType::Rescan && event.name.empty();
  }));
  root_.write("/home/user/unseen/file", "x");
  EXPECT_THAT(events(watcher), Contains("create unseen/file"));
}

TEST_P(WatcherTest, RenamedDirectoryReportsUnderItsNewName) {
  files().write("old/sub/file", "");
  Watcher watcher = files().watch("~", {.recursive = true});
  root_.as_payload(
      [&] { ::rename(inside("/home/user/old").c_str(), inside("/home/user/new").c_str()); });
  root_.write("/home/user/new/sub/later", "");
  EXPECT_THAT(events(watcher), ElementsAre("rename old", "create new", "create new/sub/later"));
}

TEST_P(WatcherTest, DirectoryThatLeftReportsNothing) {
  files().write("w/dir/file", "");
  Watcher watcher = files().watch("~/w", {.recursive = true});
  root_.as_payload(
      [&] { ::rename(inside("/home/user/w/dir").c_str(), inside("/home/user/away").c_str()); });
  EXPECT_EQ(text_of(watcher.next(kDeadline).value()), "rename dir");
  root_.write("/home/user/away/later", "");
  root_.write("/home/user/w/end", "");
  EXPECT_THAT(events_until(watcher, "end"), IsEmpty());
}

TEST_P(WatcherTest, DirectoryThatArrivesIsWatchedWithItsContent) {
  files().write("w/x", "");
  files().write("dir/file", "");
  Watcher watcher = files().watch("~/w", {.recursive = true});
  root_.as_payload(
      [&] { ::rename(inside("/home/user/dir").c_str(), inside("/home/user/w/dir").c_str()); });
  root_.write("/home/user/w/dir/later", "");
  root_.write("/home/user/w/end", "");
  EXPECT_THAT(events_until(watcher, "end"),
              ElementsAre("create dir", "create dir/file", "create dir/later"));
}

TEST_P(WatcherTest, RemovedDirectoryEndsTheWatcher) {
  files().make_dir("w");
  Watcher watcher = files().watch("~/w", {.recursive = true});
  files().remove("w");
  EXPECT_EQ(text_of(watcher.next(kDeadline).value()), "remove ");
  EXPECT_FALSE(watcher.next(kDeadline).has_value());
  EXPECT_TRUE(watcher.ended());
}

TEST_P(WatcherTest, MovedDirectoryEndsTheWatcher) {
  files().make_dir("w");
  Watcher watcher = files().watch("~/w");
  files().rename("w", "v");
  EXPECT_EQ(text_of(watcher.next(kDeadline).value()), "rename ");
  EXPECT_TRUE(watcher.ended());
}

TEST_P(WatcherTest, SymlinksAreNotFollowed) {
  const TempDir outside;
  check(::chmod(outside.path().c_str(), 0777), "chmod");
  files().make_dir("elsewhere");
  root_.as_payload([&] {
    ::mkdir(inside("/home/user/w").c_str(), 0755);
    ::symlink(outside.path().c_str(), inside("/home/user/w/out").c_str());
    ::symlink("../elsewhere", inside("/home/user/w/in").c_str());
  });
  Watcher watcher = files().watch("~/w", {.recursive = true});
  outside.write("file", "x");
  root_.write("/home/user/elsewhere/file", "x");
  root_.write("/home/user/w/end", "");
  EXPECT_THAT(events_until(watcher, "end"), IsEmpty());
}

TEST_P(WatcherTest, MissingAndFileAreTypedErrors) {
  files().write("file", "");
  EXPECT_THAT([&] { files().watch("missing"); }, FailsWith(ENOENT));
  EXPECT_THAT([&] { files().watch("file"); }, FailsWith(ENOTDIR));
}

TEST_P(WatcherTest, TooManyDirectoriesAreAnError) {
  for (const char* name : {"a", "b", "c"}) files().make_dir(name);
  EXPECT_THAT([&] { files().watch("~", {.recursive = true, .max_directories = 3}); },
              FailsWith(ENOSPC));
  EXPECT_NO_THROW(files().watch("~", {.recursive = true, .max_directories = 4}));
}

TEST_P(WatcherTest, LaterDirectoriesBeyondTheLimitAreTold) {
  Watcher watcher = files().watch("~", {.recursive = true, .max_directories = 2});
  files().make_dir("one");
  files().make_dir("two");
  EXPECT_THAT(events(watcher), Contains("rescan two"));
}

int count_inotify_instances() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (target == "anon_inode:inotify") ++count;
  }
  return count;
}

TEST_P(WatcherTest, WatchersShareOneInstanceAndGetTheirOwnEvents) {
  files().make_dir("a");
  files().make_dir("b");
  Watcher one = files().watch("a");
  Watcher same = files().watch("a");
  Watcher other = files().watch("b");
  EXPECT_EQ(count_inotify_instances(), 1);
  root_.write("/home/user/a/x", "");
  EXPECT_EQ(text_of(one.next(kDeadline).value()), "create x");
  EXPECT_EQ(text_of(same.next(kDeadline).value()), "create x");
  EXPECT_THAT(other.drain(), IsEmpty());
}

TEST_P(WatcherTest, LateWatcherGetsNothingOld) {
  Watcher first = files().watch("~");
  root_.write("/home/user/early", "");
  Watcher second = files().watch("~");
  EXPECT_THAT(events(second), IsEmpty());
  EXPECT_EQ(text_of(first.next(kDeadline).value()), "create early");
}

bool is_readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1;
}

TEST_P(WatcherTest, DescriptorIsReadableWhenThereAreEvents) {
  Watcher watcher = files().watch("~");
  Watcher other = files().watch("~");
  EXPECT_FALSE(is_readable(watcher.fd()));
  root_.write("/home/user/a", "");
  EXPECT_TRUE(is_readable(watcher.fd()));
  other.drain();  // Takes them from the kernel for both.
  EXPECT_TRUE(is_readable(watcher.fd()));
  watcher.drain();
  EXPECT_FALSE(is_readable(watcher.fd()));
}

TEST_P(WatcherTest, StopWakesTheOneWhoWaits) {
  Watcher watcher = files().watch("~");
  std::jthread waiter([&] { EXPECT_FALSE(watcher.next().has_value()); });
  watcher.stop();
}

TEST_P(WatcherTest, RunCallsBackUntilStopped) {
  Watcher watcher = files().watch("~");
  files().write("a", "x");
  std::vector<std::string> seen;
  watcher.run([&](const WatchEvent& event) {
    seen.push_back(text_of(event));
    if (seen.size() == 3) watcher.stop();
  });
  EXPECT_THAT(seen, ElementsAre("create a", "chmod a", "write a"));
}

TEST_P(WatcherTest, EndsWithTheSandbox) {
  Watcher watcher = files().watch("~");
  root_.context().close();
  EXPECT_TRUE(watcher.ended());
  EXPECT_FALSE(watcher.next().has_value());
}

TEST_P(WatcherTest, TimeoutGivesNothing) {
  Watcher watcher = files().watch("~");
  EXPECT_FALSE(watcher.next(1ms).has_value());
  EXPECT_FALSE(watcher.ended());
}

}  // namespace
}  // namespace sandbox::test
