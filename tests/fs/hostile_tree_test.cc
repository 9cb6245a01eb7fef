// Trees that a payload has made to harm whoever works on them from outside: attacks.md, rows H.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "fs/remove_tree.h"
#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::SizeIs;

class HostileTree : public ::testing::TestWithParam<RootKind> {
 protected:
  const Files& files() const { return root_.files(); }
  std::string inside(std::string_view path) const { return root_.inside(path); }

  // A chain of `depth` directories below /home/user/deep, as only relative calls can make it.
  void make_deep(int depth, const std::string& name) const {
    root_.as_payload([&] {
      ::mkdir(inside("/home/user/deep").c_str(), 0755);
      UniqueFd at(check(::open(inside("/home/user/deep").c_str(), O_PATH | O_CLOEXEC), "open"));
      for (int level = 0; level < depth; ++level) {
        check(::mkdirat(at.get(), name.c_str(), 0755), "mkdirat");
        at.reset(check(::openat(at.get(), name.c_str(), O_PATH | O_CLOEXEC), "openat"));
      }
    });
  }

  TestRoot root_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Roots, HostileTree, kAllRoots, ::testing::PrintToStringParamName());

// All operations that open what they find fail the same way, and at once.
void expect_refused(const Files& files, const std::string& path, int error) {
  EXPECT_THAT([&] { files.read(path); }, FailsWith(error)) << path;
  EXPECT_THAT([&] { files.write(path, "x"); }, FailsWith(error)) << path;
  EXPECT_THAT([&] { files.append(path, "x"); }, FailsWith(error)) << path;
  EXPECT_THAT([&] { files.copy(path, "/home/user/copy"); }, FailsWith(error)) << path;
  EXPECT_THAT([&] { files.download(path, "downloaded"); }, FailsWith(error)) << path;
}

TEST_P(HostileTree, FifoIsRefusedAtOnce) {
  root_.as_payload([&] { check(::mkfifo(inside("/home/user/fifo").c_str(), 0644), "mkfifo"); });
  expect_refused(files(), "fifo", EINVAL);
  EXPECT_EQ(files().stat("fifo")->type, EntryType::Other);
}

TEST_P(HostileTree, FifoWithAReaderIsNotWrittenTo) {
  root_.as_payload([&] { check(::mkfifo(inside("/home/user/fifo").c_str(), 0644), "mkfifo"); });
  const UniqueFd reader(
      check(::open(inside("/home/user/fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open"));
  expect_refused(files(), "fifo", EINVAL);
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
}

TEST_P(HostileTree, AtomicWriteReplacesAFifo) {
  root_.as_payload([&] { check(::mkfifo(inside("/home/user/fifo").c_str(), 0644), "mkfifo"); });
  files().write("fifo", "x", {.mode = WriteMode::Atomic});
  EXPECT_EQ(files().read("fifo"), "x");
}

TEST_P(HostileTree, SocketIsRefused) {
  root_.as_payload([&] {
    const mode_t mode = S_IFSOCK | 0644;
    check(::mknod(inside("/home/user/socket").c_str(), mode, 0), "mknod");
  });
  expect_refused(files(), "socket", EINVAL);
}

// Only root of the host can make one outside of an overlay, which is nodev.
TEST_P(HostileTree, DeviceIsRefused) {
  if (is_overlay(GetParam())) {
    for (const char* name : {"/dev/null", "/dev/zero", "/dev/tty"}) {
      expect_refused(files(), name, EXDEV);
    }
  } else if (::geteuid() == 0) {
    check(::mknod(inside("/home/user/zero").c_str(), S_IFCHR | 0666, makedev(1, 5)), "mknod");
    check(::chmod(inside("/home/user/zero").c_str(), 0666), "chmod");
    expect_refused(files(), "zero", EINVAL);
  }
}

// The holder of a lease could keep an open without O_NONBLOCK waiting for 45 seconds.
TEST_P(HostileTree, LeaseDoesNotHoldUp) {
  if (is_overlay(GetParam())) return;  // Has no leases.
  root_.write("/home/user/leased", "x");
  int ready[2] = {};
  check(::pipe2(ready, O_CLOEXEC), "pipe2");
  const pid_t holder = check(::fork(), "fork");
  if (holder == 0) {
    std::signal(SIGIO, SIG_IGN);
    root_.as_payload([&] {
      const int fd = ::open(inside("/home/user/leased").c_str(), O_RDWR | O_CLOEXEC);
      const char held = ::fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? '1' : '0';
      static_cast<void>(::write(ready[1], &held, 1));
      ::pause();
    });
    ::_exit(0);
  }
  char held = 0;
  check(::read(ready[0], &held, 1), "read");
  EXPECT_EQ(held, '1');
  expect_refused(files(), "leased", EAGAIN);
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_EQ(files().read("leased"), "x");
}

TEST_P(HostileTree, AbsoluteAndRelativeSymlinksStayInside) {
  const TempDir outside = TempDir::with({{"canary", "canary"}});
  const std::string canary = outside.path("canary");
  check(::chmod(outside.path().c_str(), 0755), "chmod");
  root_.as_payload([&] {
    ::symlink(canary.c_str(), inside("/home/user/absolute").c_str());
    ::symlink(("../../../../../../../../.." + canary).c_str(), inside("/home/user/up").c_str());
  });
  std::string control;
  std::ifstream(inside("/home/user/absolute")) >> control;
  ASSERT_EQ(control, "canary");  // Whoever follows it as usual gets there.
  for (const char* link : {"absolute", "up"}) {
    EXPECT_THAT([&] { files().read(link); }, FailsWith(ENOENT));
    EXPECT_THAT([&] { files().download(link, "downloaded"); }, FailsWith(ENOENT));
    EXPECT_FALSE(files().exists(link));
    files().write(link, "x", {.mode = WriteMode::Atomic});
  }
  EXPECT_EQ(outside.read("canary"), "canary");
}

TEST_P(HostileTree, SymlinkLoopsAndChainsEnd) {
  root_.as_payload([&] {
    ::symlink("loop", inside("/home/user/loop").c_str());
    for (int link = 0; link < 50; ++link) {
      const std::string name = "/home/user/chain" + std::to_string(link);
      ::symlink(("chain" + std::to_string(link + 1)).c_str(), inside(name).c_str());
    }
  });
  expect_refused(files(), "loop", ELOOP);
  expect_refused(files(), "chain0", ELOOP);
  EXPECT_THAT([&] { files().list("loop"); }, FailsWith(ELOOP));
  EXPECT_EQ(files().stat("loop")->type, EntryType::Symlink);
}

TEST_P(HostileTree, HardLinkIsReplacedNotWrittenThrough) {
  root_.write("/home/user/precious", "precious");
  root_.as_payload([&] {
    check(::link(inside("/home/user/precious").c_str(), inside("/home/user/link").c_str()), "link");
    ::chmod(inside("/home/user/link").c_str(), 0640);
  });
  files().write("link", "new");
  EXPECT_EQ(files().read("link"), "new");
  EXPECT_EQ(files().stat("link")->mode, 0640U);
  EXPECT_EQ(files().read("precious"), "precious");
}

TEST_P(HostileTree, HugeSparseFileCostsNothing) {
  root_.write("/home/user/sparse", "start");
  root_.as_payload(
      [&] { check(::truncate(inside("/home/user/sparse").c_str(), off_t{1} << 40), "truncate"); });
  EXPECT_THAT([&] { files().read("sparse"); }, FailsWith(EFBIG));
  EXPECT_EQ(files().read("sparse", {.length = 5}), "start");
  EXPECT_EQ(files().read("sparse", {.offset = (int64_t{1} << 40) - 2}), std::string(2, '\0'));
  EXPECT_EQ(files().stat("sparse")->size, uint64_t{1} << 40);
  const TransferResult result = files().copy("sparse", "copy");
  EXPECT_LE(result.bytes, 1U << 20);
  EXPECT_EQ(files().stat("copy")->size, uint64_t{1} << 40);
  EXPECT_LT(files().disk_usage("copy").disk_bytes, 1U << 20);
}

TEST_P(HostileTree, GrowingFileIsReadAsLongAsItWas) {
  root_.write("/home/user/grows", std::string(3 << 20, 'x'));
  const UniqueFd writer(
      check(::open(inside("/home/user/grows").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), "open"));
  uint64_t chunks = 0;
  const uint64_t bytes = files().read_chunks("grows", [&](std::string_view chunk) {
    ++chunks;
    check(::write(writer.get(), chunk.data(), chunk.size()), "write");
  });
  EXPECT_EQ(bytes, 3U << 20);
  EXPECT_EQ(files().stat("grows")->size, 6U << 20);
}

TEST_P(HostileTree, ShrinkingFileIsNoticed) {
  root_.write("/home/user/shrinks", std::string(3 << 20, 'x'));
  const auto shrink = [&](std::string_view) {
    root_.as_payload([&] { ::truncate(inside("/home/user/shrinks").c_str(), 10); });
  };
  EXPECT_THAT([&] { files().read_chunks("shrinks", shrink); }, FailsWith(ESTALE));
}

TEST_P(HostileTree, DeepTreeIsListedCopiedMeasuredAndRemoved) {
  constexpr int kDepth = 4'000;
  make_deep(kDepth, "d");
  EXPECT_THAT(files().list("deep", {.depth = 2 * kDepth}), SizeIs(kDepth));
  EXPECT_EQ(files().disk_usage("deep").directories, kDepth + 1U);
  EXPECT_EQ(files().copy("deep", "copy").directories, kDepth + 1U);
  files().remove("copy");
  files().remove("deep");
  EXPECT_FALSE(files().exists("deep"));
}

TEST_P(HostileTree, TreeBeyondPathMaxGoesBothWays) {
  constexpr int kDepth = 100;
  make_deep(kDepth, std::string(255, 'n'));
  const TempDir host;
  EXPECT_EQ(files().download("deep", host.path("tree")).directories, kDepth + 1U);
  EXPECT_EQ(files().upload(host.path("tree"), "again").directories, kDepth + 1U);
  EXPECT_EQ(files().disk_usage("again").directories, kDepth + 1U);
  for (const char* path : {"deep", "again"}) files().remove(path);
  EXPECT_THAT(files().list("~"), SizeIs(0));
  const UniqueFd host_directory(check(::open(host.path().c_str(), O_PATH | O_CLOEXEC), "open"));
  remove_tree(host_directory.get(), "tree");
}

TEST_P(HostileTree, LockedDirectoriesAreRemoved) {
  root_.write("/home/user/a/locked/file", "");
  root_.as_payload([&] {
    ::chmod(inside("/home/user/a/locked").c_str(), 0);
    ::chmod(inside("/home/user/a").c_str(), 0500);
  });
  if (is_by_agent(GetParam())) {
    EXPECT_EQ(files().list("a/locked").at(0).path, "/home/user/a/locked/file");
  } else {
    EXPECT_THAT([&] { files().list("a/locked"); }, FailsWith(EACCES));
    EXPECT_EQ(files().list("a", {.depth = 2}).at(0).list_error, EACCES);
  }
  files().remove("a");
  EXPECT_FALSE(files().exists("a"));
}

TEST_P(HostileTree, ListingSurvivesRemovalMeanwhile) {
  std::atomic<bool> done = false;
  std::jthread payload([&] {
    root_.as_payload([&] {
      while (!done) {
        ::mkdir(inside("/home/user/t").c_str(), 0755);
        for (int file = 0; file < 20; ++file) {
          const std::string path = inside("/home/user/t/" + std::to_string(file));
          ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        }
        for (int file = 0; file < 20; ++file) {
          ::unlink(inside("/home/user/t/" + std::to_string(file)).c_str());
        }
        ::rmdir(inside("/home/user/t").c_str());
      }
    });
  });
  for (int round = 0; round < 500; ++round) files().list("~", {.depth = 5, .metadata = true});
  done = true;
}

TEST_P(HostileTree, RemovalEndsThoughTheTreeIsFilledAgain) {
  files().make_dir("t/sub");
  std::atomic<bool> done = false;
  std::jthread payload([&] {
    root_.as_payload([&] {
      for (int file = 0; !done; ++file) {
        ::mkdir(inside("/home/user/t").c_str(), 0755);
        ::mkdir(inside("/home/user/t/sub").c_str(), 0755);
        const std::string path = inside("/home/user/t/sub/" + std::to_string(file));
        ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
      }
    });
  });
  // Through the agent a removal is slower than who refills, and each finds more than the one
  // before.
  const int rounds = is_by_agent(GetParam()) ? 2 : 50;
  for (int round = 0; round < rounds; ++round) {
    try {
      files().remove("t");
    } catch (const Error& error) {
      EXPECT_THAT(error, AnyOf(IsError(ENOTEMPTY), IsError(ESTALE)));
    }
  }
  done = true;
  payload.join();
  files().remove("t");
  EXPECT_FALSE(files().exists("t"));
}

TEST_P(HostileTree, AtomicWritersNeverMix) {
  const std::string one(100'000, '1');
  const std::string two(100'000, '2');
  files().write("shared", one);
  std::vector<std::jthread> writers;
  for (const std::string* content : {&one, &two}) {
    writers.emplace_back([&, content] {
      for (int round = 0; round < 200; ++round) {
        files().write("shared", *content, {.mode = WriteMode::Atomic});
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    EXPECT_THAT(files().read("shared"), AnyOf(Eq(one), Eq(two)));
  }
  writers.clear();
  EXPECT_THAT(files().list("~"), SizeIs(1));
}

}  // namespace
}  // namespace sandbox::test
