// Sandboxes that outlive the object and the process that made them.

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "tests/runtime/box.h"
#include "tests/support/in_child.h"
#include "tests/support/matchers.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/skips.h"

namespace sandbox {
namespace {

using namespace std::chrono_literals;
using test::await_output;
using test::becomes_true;
using test::FailsWith;
using test::LeakCheck;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Not;
using ::testing::Pair;

class Detached : public ::testing::Test {
 protected:
  // The first sandbox starts the launcher and makes directories, all of which stay.
  void SetUp() override {
    test::require_user_namespaces();
    create({.upper = Upper::Directory, .name = "first"}).destroy();
  }

  void TearDown() override {
    for (const SandboxInfo& info : runtime_.list()) runtime_.destroy(info.id);
  }

  Sandbox create(SandboxOptions options = {}) {
    options.lifetime = Lifetime::Detached;
    return runtime_.create(options);
  }

  Runtime runtime_;
};

auto has_id(const std::string& id) { return Field("id", &SandboxInfo::id, id); }

std::set<std::string> entries_of(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.insert(entry.path().filename());
  }
  return names;
}

bool ends(int pidfd) {
  pollfd end{pidfd, POLLIN, 0};
  return ::poll(&end, 1, 20'000) == 1;
}

TEST_F(Detached, OutlivesItsObject) {
  std::string id;
  {
    Sandbox box = create();
    box.files().write("note", "still here");
    id = box.id();
  }
  EXPECT_EQ(runtime_.attach(id).files().read("note"), "still here");
}

TEST_F(Detached, OutlivesItsProcess) {
  const std::string id = test::in_child([] {
                           Runtime runtime;
                           return runtime.create({.lifetime = Lifetime::Detached}).id();
                         }).text;
  Sandbox box = runtime_.attach(id);
  EXPECT_EQ(box.commands().run("echo alive").stdout_text, "alive\n");
}

TEST_F(Detached, IsNotFoundUnlessItWasRecorded) {
  Sandbox owned = runtime_.create();
  EXPECT_THAT(runtime_.list(), Not(Contains(has_id(owned.id()))));
  EXPECT_THAT([&] { runtime_.attach(owned.id()); }, FailsWith(ENOENT));
}

TEST_F(Detached, KeepsUserEnvironmentAndIsolation) {
  Sandbox created = create({.env = {{"COLOUR", "blue"}}});
  Sandbox box = runtime_.attach(created.id());
  EXPECT_EQ(box.commands().run("echo $COLOUR $USER $HOME").stdout_text, "blue user /home/user\n");
  EXPECT_EQ(box.isolation().size(), created.isolation().size());
  EXPECT_EQ(box.host_pid(), created.host_pid());
}

TEST_F(Detached, FilesKnowItsMounts) {
  Sandbox created = create();
  created.commands().run("echo shared > /dev/shm/x");
  EXPECT_EQ(runtime_.attach(created.id()).files().read("/dev/shm/x"), "shared\n");
}

TEST_F(Detached, IsFoundByName) {
  Sandbox box = create({.name = "web"});
  EXPECT_EQ(runtime_.attach("web").id(), box.id());
}

TEST_F(Detached, NameIsForDetachedOnesOnly) {
  EXPECT_THAT([&] { runtime_.create({.name = "web"}); }, FailsWith(EINVAL));
}

TEST_F(Detached, SecondOfANameIsRefusedAndTheFirstUnharmed) {
  Sandbox first = create({.name = "web"});
  EXPECT_THAT([&] { create({.name = "web"}); }, FailsWith(EEXIST));
  EXPECT_EQ(runtime_.attach("web").commands().run("echo on").stdout_text, "on\n");
}

TEST_F(Detached, ListTellsWhatItIs) {
  Sandbox box = create({.name = "web", .metadata = {{"owner", "anna"}}});
  Process process = box.commands().start({.argv = {"sleep", "1000"}});
  const std::vector<SandboxInfo> infos = runtime_.list();
  ASSERT_THAT(infos, ElementsAre(has_id(box.id())));
  EXPECT_EQ(infos[0].name, "web");
  EXPECT_EQ(infos[0].template_name, "host");
  EXPECT_THAT(infos[0].metadata, ElementsAre(Pair("owner", "anna")));
  EXPECT_EQ(infos[0].processes, 1U);
  EXPECT_EQ(infos[0].host_pid, box.host_pid());
  EXPECT_FALSE(infos[0].ends);
}

TEST_F(Detached, OldestIsListedFirst) {
  Sandbox first = create();
  Sandbox second = create();
  EXPECT_THAT(runtime_.list(), ElementsAre(has_id(first.id()), has_id(second.id())));
}

TEST_F(Detached, DestroyLeavesNothing) {
  const LeakCheck nothing_left({test::Box::data_directory()});
  Sandbox box = create({.name = "web"});
  box.destroy();
  EXPECT_THAT([&] { runtime_.attach("web"); }, FailsWith(ENOENT));
}

TEST_F(Detached, DestroyByIdLeavesNothing) {
  const LeakCheck nothing_left({test::Box::data_directory()});
  const std::string id = create().id();
  runtime_.destroy(id);
  EXPECT_THAT([&] { runtime_.destroy(id); }, FailsWith(ENOENT));
}

TEST_F(Detached, DestroyedInADirectoryLeavesNothing) {
  const LeakCheck nothing_left({test::Box::data_directory()});
  const std::string id = create({.upper = Upper::Directory}).id();
  EXPECT_TRUE(runtime_.attach(id).has_directory());
  runtime_.destroy(id);
}

TEST_F(Detached, DestroyByIdRemovesItsDirectoryAndNoOther) {
  const LeakCheck nothing_left({test::Box::data_directory()});
  Sandbox dead = create({.upper = Upper::Directory});
  Sandbox box = create({.upper = Upper::Directory});
  ASSERT_EQ(::kill(dead.host_pid(), SIGKILL), 0);
  ASSERT_TRUE(ends(dead.pidfd()));
  const std::string boxes = test::Box::data_directory() + "/boxes";
  runtime_.destroy(box.id());
  EXPECT_EQ(entries_of(boxes).size(), 1U) << "the dead one is left to the next collection";
  EXPECT_THAT(runtime_.collect(), ElementsAre(dead.id()));
}

TEST_F(Detached, KilledFromOutsideIsNotListedAndIsCollected) {
  const LeakCheck nothing_left({test::Box::data_directory()});
  Sandbox box = create({.upper = Upper::Directory, .name = "web"});
  ASSERT_EQ(::kill(box.host_pid(), SIGKILL), 0);
  ASSERT_TRUE(ends(box.pidfd()));
  EXPECT_TRUE(runtime_.list().empty());
  EXPECT_THAT([&] { runtime_.attach("web"); }, FailsWith(ESRCH));
  EXPECT_THAT(runtime_.collect(), ElementsAre(box.id()));
  EXPECT_TRUE(runtime_.collect().empty());
}

TEST_F(Detached, StoppedPid1IsListedAsUnresponsiveAndCanBeDestroyed) {
  Sandbox box = create();
  ASSERT_EQ(::kill(box.host_pid(), SIGSTOP), 0);
  const std::vector<SandboxInfo> infos = runtime_.list();
  ASSERT_EQ(infos.size(), 1U);
  EXPECT_EQ(infos[0].state, SandboxState::Unresponsive);
  EXPECT_THAT([&] { runtime_.attach(box.id()); }, FailsWith(ETIMEDOUT));
  runtime_.destroy(box.id());
  EXPECT_TRUE(runtime_.list().empty());
}

TEST_F(Detached, EndsWhenItsTimeIsUp) {
  Sandbox box = create({.ttl = 50ms});
  EXPECT_TRUE(ends(box.pidfd()));
  EXPECT_THAT([&] { box.info(); }, FailsWith(EPIPE));
}

TEST_F(Detached, TimeToLiveCanBeChanged) {
  Sandbox box = create({.ttl = 1h});
  const auto before = std::chrono::system_clock::now();
  EXPECT_GT(box.info().ends.value(), before + 59min);
  box.set_ttl(2h);
  EXPECT_GT(runtime_.attach(box.id()).info().ends.value(), before + 119min);
  box.set_ttl(std::nullopt);
  EXPECT_FALSE(box.info().ends);
  box.set_ttl(50ms);
  EXPECT_TRUE(ends(box.pidfd()));
}

TEST_F(Detached, TimeToLiveOfNothingIsRefused) {
  EXPECT_THAT([&] { create({.ttl = 0ms}); }, FailsWith(EINVAL));
  Sandbox box = create();
  EXPECT_THAT([&] { box.set_ttl(-1ms); }, FailsWith(EINVAL));
}

TEST_F(Detached, OwnedOneEndsWhenItsTimeIsUpToo) {
  Sandbox box = runtime_.create({.ttl = 50ms});
  EXPECT_TRUE(ends(box.pidfd()));
}

TEST_F(Detached, CommandOfACallerThatDiedIsKilledWithItsTree) {
  Sandbox box = create();
  const std::string id = box.id();
  test::in_child([&] {
    Process process = Runtime().attach(id).commands().start(
        {.argv = {"sh", "-c", "(setsid sleep 1000 &) ; echo ready; exec sleep 1000"}});
    await_output(process, "ready");
    ::kill(::getpid(), SIGKILL);
    return "";
  });
  EXPECT_TRUE(becomes_true([&] { return box.info().processes == 0; }));
}

TEST_F(Detached, CommandThatWasLetGoRunsOn) {
  Sandbox box = create();
  {
    Process process = runtime_.attach(box.id()).commands().start({.argv = {"sleep", "1000"}});
    process.detach();
  }
  // An answer from PID 1 comes after all that it was told before.
  EXPECT_EQ(box.info().processes, 1U);
}

TEST_F(Detached, OneIsUsedByManyProcessesAtOnce) {
  Sandbox box = create();
  const std::string id = box.id();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Sandbox mine = Runtime().attach(id);
      for (int j = 0; j < 10; ++j) {
        const std::string word = std::to_string(i) + "-" + std::to_string(j);
        if (mine.commands().run("echo " + word).stdout_text == word + "\n") ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

TEST_F(Detached, CreatorThatDiesBeforeTheRecordTakesItAlong) {
  const LeakCheck nothing_left({test::Box::data_directory()});
  // Killed at a random moment of creating, again and again.
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Runtime().create({.lifetime = Lifetime::Detached});
      } catch (const Error&) {
      }
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(i * 300));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    for (const SandboxInfo& info : runtime_.list()) {
      EXPECT_EQ(runtime_.attach(info.id).commands().run("echo on").stdout_text, "on\n");
      runtime_.destroy(info.id);
    }
  }
  // Those that were not on record yet die with the launcher, which takes a moment.
  EXPECT_TRUE(becomes_true([&] {
    runtime_.collect();
    return entries_of(test::Box::data_directory() + "/run") == std::set<std::string>{"names"};
  }));
}

}  // namespace
}  // namespace sandbox
