#include "runtime/run_directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::FailsWith;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

BoxRecord record_of(const BoxPlace& place) {
  BoxRecord record;
  record.id = place.id();
  return record;
}

TEST(RunDirectory, IsOnlyTheCallersToEnter) {
  const TempDir home;
  const BoxPlace place = RunDirectory(home.path("run")).make_place("");
  struct stat status {};
  ASSERT_EQ(::stat(home.path("run").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  ASSERT_EQ(::stat(place.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST(RunDirectory, IdsAreTwelveHexadecimalDigits) {
  EXPECT_THAT(make_sandbox_id(), MatchesRegex("[0-9a-f]{12}"));
  EXPECT_NE(make_sandbox_id(), make_sandbox_id());
}

TEST(RunDirectory, PlaceThatIsNotKeptLeavesNothing) {
  const TempDir home;
  { const BoxPlace place = RunDirectory(home.path("run")).make_place("web"); }
  EXPECT_THAT(RunDirectory(home.path("run")).collect(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(home.path("run/names")));
}

TEST(RunDirectory, LivesAsLongAsTheLockIsHeld) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  BoxPlace place = run.make_place("");
  const std::string id = place.id();
  UniqueFd copy{::dup(place.lock())};
  place.keep();
  EXPECT_THAT(run.ids(), ElementsAre(id));
  EXPECT_EQ(run.find(id), id);
  copy.reset();
  EXPECT_THAT(run.ids(), IsEmpty());
  EXPECT_THAT([&] { run.find(id); }, FailsWith(ESRCH));
}

TEST(RunDirectory, CollectTakesTheDeadAndLeavesTheLiving) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  const BoxPlace living = run.make_place("");
  BoxPlace dead = run.make_place("gone");
  const std::string id = dead.id();
  dead.keep();
  EXPECT_THAT(run.collect(), ElementsAre(id));
  EXPECT_FALSE(home.exists("run/" + id));
  EXPECT_FALSE(home.exists("run/names/gone"));
  EXPECT_THAT(run.ids(), ElementsAre(living.id()));
}

TEST(RunDirectory, IsFoundByName) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  const BoxPlace place = run.make_place("web-1.a_b");
  EXPECT_EQ(run.find("web-1.a_b"), place.id());
}

TEST(RunDirectory, NameOfALivingOneIsTaken) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  const BoxPlace first = run.make_place("web");
  EXPECT_THAT([&] { run.make_place("web"); }, FailsWith(EEXIST));
  EXPECT_EQ(run.find("web"), first.id());
}

TEST(RunDirectory, NameOfADeadOneIsFree) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  BoxPlace dead = run.make_place("web");
  dead.keep();
  const BoxPlace next = run.make_place("web");
  EXPECT_EQ(run.find("web"), next.id());
}

TEST(RunDirectory, WhatIsNoNameIsRefused) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  for (const char* name : {"../x", "a/b", ".", "-v", "a b", "\xc3\xa9", "0123456789ab"}) {
    EXPECT_THAT([&] { run.make_place(name); }, FailsWith(EINVAL)) << name;
  }
  EXPECT_THAT([&] { run.make_place(std::string(65, 'a')); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { run.find("../etc"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { run.find(""); }, FailsWith(EINVAL));
}

TEST(RunDirectory, UnknownIsEnoent) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  EXPECT_THAT([&] { run.find("0123456789ab"); }, FailsWith(ENOENT));
  EXPECT_THAT([&] { run.find("web"); }, FailsWith(ENOENT));
}

TEST(RunDirectory, OfSomebodyElseIsRefused) {
  test::require_root();
  const TempDir home = TempDir::with({{"run/0123456789ab/", ""}});
  const RunDirectory run(home.path("run"));
  ASSERT_EQ(::chown(home.path("run/0123456789ab").c_str(), 12345, 12345), 0);
  EXPECT_THAT([&] { run.find("0123456789ab"); }, FailsWith(EPERM));
  ASSERT_EQ(::chown(home.path("run").c_str(), 12345, 12345), 0);
  EXPECT_THAT([&] { run.find("0123456789ab"); }, FailsWith(EPERM));
  EXPECT_THAT([&] { run.make_place(""); }, FailsWith(EPERM));
}

TEST(RunDirectory, BehindASymlinkIsRefused) {
  const TempDir home = TempDir::with({{"elsewhere/", ""}});
  std::filesystem::create_symlink(home.path("elsewhere"), home.path("run"));
  EXPECT_THAT([&] { RunDirectory(home.path("run")).make_place(""); }, FailsWith(ENOTDIR));
}

TEST(RunDirectory, GarbageInItIsPassedOver) {
  const TempDir home = TempDir::with({{"run/file", "x"}, {"run/not-an-id/x", ""}, {"run/0/", ""}});
  std::filesystem::permissions(home.path("run"), std::filesystem::perms::owner_all);
  const RunDirectory run(home.path("run"));
  EXPECT_THAT(run.ids(), IsEmpty());
  EXPECT_THAT(run.collect(), IsEmpty());
  EXPECT_TRUE(home.exists("run/not-an-id/x"));
}

TEST(RunDirectory, RecordThatIsAFifoDoesNotHang) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  const BoxPlace place = run.make_place("");
  ASSERT_EQ(::mkfifo((place.path() + "/sandbox.json").c_str(), 0600), 0);
  EXPECT_THAT([&] { run.read(place.id()); }, FailsWith(EBADMSG));
}

TEST(RunDirectory, RecordIsReadBack) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  const BoxPlace place = run.make_place("");
  place.write(record_of(place));
  EXPECT_EQ(run.read(place.id()).id, place.id());
}

TEST(RunDirectory, NobodyListeningIsTheEnd) {
  const TempDir home;
  const RunDirectory run(home.path("run"));
  const BoxPlace place = run.make_place("");
  EXPECT_THAT([&] { run.connect(place.id()); }, FailsWith(ESRCH));
}

TEST(RunDirectory, LongPathIsNoObstacle) {
  const TempDir home;
  const RunDirectory run(home.path(std::string(100, 'a') + "/" + std::string(100, 'b')));
  EXPECT_NO_THROW(run.make_place(""));
}

}  // namespace
}  // namespace sandbox
