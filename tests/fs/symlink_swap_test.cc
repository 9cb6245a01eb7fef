// A thread of the payload swaps a directory for a symlink out of the root, as fast as it can, while
// the host works on paths through it: attacks.md, H-04 and H-05. Nothing outside may be touched.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

// Of each operation. SANDBOX_RACE_SECONDS asks for more.
std::chrono::milliseconds race_time() {
  const char* seconds = std::getenv("SANDBOX_RACE_SECONDS");
  return seconds == nullptr ? std::chrono::milliseconds(1500)
                            : std::chrono::seconds(std::atoi(seconds));
}

struct Operation {
  const char* name;
  std::function<void(const Files&, const std::string& host)> run;

  friend std::ostream& operator<<(std::ostream& out, const Operation& operation) {
    return out << operation.name;
  }
};

void expect_not_canary(const std::string& content) { EXPECT_NE(content, "canary"); }

const Operation kOperations[] = {
    {"Read", [](const Files& f, const std::string&) { expect_not_canary(f.read("swap/f")); }},
    {"Write", [](const Files& f, const std::string&) { f.write("swap/f", "inside"); }},
    {"WriteNew", [](const Files& f, const std::string&) { f.write("swap/new/file", "inside"); }},
    {"WriteAtomic",
     [](const Files& f, const std::string&) {
       f.write("swap/f", "inside", {.mode = WriteMode::Atomic});
     }},
    {"Append", [](const Files& f, const std::string&) { f.append("swap/f", "x"); }},
    {"Stat",
     [](const Files& f, const std::string&) {
       const std::optional<EntryInfo> entry = f.stat("swap/f");
       EXPECT_FALSE(entry && entry->mode == 0604);
     }},
    {"List",
     [](const Files& f, const std::string&) {
       for (const EntryInfo& entry : f.list("swap", {.depth = 3})) EXPECT_NE(entry.name, "only");
     }},
    {"ListParent",
     [](const Files& f, const std::string&) {
       for (const EntryInfo& entry : f.list("~", {.depth = 3})) EXPECT_NE(entry.name, "only");
     }},
    {"MakeDir", [](const Files& f, const std::string&) { f.make_dir("swap/a/b/c"); }},
    {"Remove", [](const Files& f, const std::string&) { f.remove("swap/f"); }},
    {"RemoveTree", [](const Files& f, const std::string&) { f.remove("swap/sub"); }},
    {"Rename",
     [](const Files& f, const std::string&) {
       f.write("swap/x", "inside");
       f.rename("swap/x", "swap/f");
     }},
    {"Chmod", [](const Files& f, const std::string&) { f.chmod("swap/f", 0640); }},
    {"Touch", [](const Files& f, const std::string&) { f.touch("swap/f"); }},
    {"Metadata",
     [](const Files& f, const std::string&) {
       f.set_metadata("swap/f", {{"k", "v"}});
     }},
    {"Copy", [](const Files& f, const std::string&) { f.copy("swap", "copied"); }},
    {"Upload", [](const Files& f, const std::string& host) { f.upload(host, "swap"); }},
    {"Download",
     [](const Files& f, const std::string& host) {
       f.download("~", host + "/down");
       const bool copied = fs::is_directory(fs::symlink_status(host + "/down/swap"));
       EXPECT_FALSE(copied && fs::exists(host + "/down/swap/only"));
     }},
    {"Watch",
     [](const Files& f, const std::string&) {
       Watcher watcher = f.watch("~", {.recursive = true, .include_entry = true});
       f.touch("swap/f");
       for (const WatchEvent& event : watcher.drain()) EXPECT_NE(event.name, "swap/only");
     }},
};

class SymlinkSwap : public ::testing::TestWithParam<Operation> {
 protected:
  SymlinkSwap() {
    check(::chmod(outside_.path().c_str(), 0777), "chmod");
    check(::chmod(outside_.path("f").c_str(), 0604), "chmod");
    root_.write("/home/user/swap/f", "inside");
    root_.as_payload([&] {
      ::symlink(outside_.path().c_str(), inside("/home/user/other").c_str());
      ::symlink(("../../../../../../../../.." + outside_.path()).c_str(),
                inside("/home/user/third").c_str());
    });
  }

  std::string inside(std::string_view path) const { return root_.inside(path); }

  void swap_until(const std::atomic<bool>& done) const {
    root_.as_payload([&] {
      const UniqueFd home(::open(inside("/home/user").c_str(), O_PATH | O_CLOEXEC));
      while (!done) {
        ::renameat2(home.get(), "swap", home.get(), "other", RENAME_EXCHANGE);
        ::renameat2(home.get(), "swap", home.get(), "third", RENAME_EXCHANGE);
      }
    });
  }

  // What the operation would have done, had it followed paths as usual.
  bool plain_access_escapes() const {
    for (int tries = 0; tries < 1'000'000; ++tries) {
      struct stat status = {};
      const int result = ::stat(inside("/home/user/swap/f").c_str(), &status);
      if (result == 0 && (status.st_mode & 0777) == 0604) return true;
    }
    return false;
  }

  void expect_outside_untouched() const {
    EXPECT_EQ(outside_.read("f"), "canary");
    EXPECT_EQ(outside_.read("only"), "canary");
    struct stat status = {};
    ::stat(outside_.path("f").c_str(), &status);
    EXPECT_EQ(status.st_mode & 07777, 0604U);
    EXPECT_EQ(std::distance(fs::directory_iterator(outside_.path()), {}), 3);
    EXPECT_EQ(outside_.read("sub/kept"), "canary");
  }

  TestRoot root_{RootKind::Plain};
  TempDir outside_ = TempDir::with({{"f", "canary"}, {"only", "canary"}, {"sub/kept", "canary"}});
  TempDir host_ = TempDir::with({{"f", "uploaded"}, {"sub/g", "uploaded"}});
};

INSTANTIATE_TEST_SUITE_P(Operations, SymlinkSwap, ::testing::ValuesIn(kOperations),
                         ::testing::PrintToStringParamName());

TEST_P(SymlinkSwap, NothingOutsideIsTouched) {
  std::atomic<bool> done = false;
  std::jthread payload([&] { swap_until(done); });
  EXPECT_TRUE(plain_access_escapes());
  const auto end = std::chrono::steady_clock::now() + race_time();
  int successes = 0;
  while (std::chrono::steady_clock::now() < end) {
    try {
      GetParam().run(root_.files(), host_.path());
      ++successes;
    } catch (const Error&) {
      continue;  // The path led nowhere at that moment.
    }
  }
  done = true;
  payload.join();
  EXPECT_GT(successes, 0);
  expect_outside_untouched();
}

// A file that is a FIFO the next moment: an open that waits for the other end would never return.
TEST(FifoSwap, NeitherHangsNorReads) {
  const TestRoot root(RootKind::Plain);
  root.write("/home/user/x", "content");
  root.as_payload([&] { check(::mkfifo(root.inside("/home/user/y").c_str(), 0644), "mkfifo"); });
  std::atomic<bool> done = false;
  std::jthread payload([&] {
    root.as_payload([&] {
      const std::string x = root.inside("/home/user/x");
      const std::string y = root.inside("/home/user/y");
      while (!done) ::renameat2(AT_FDCWD, x.c_str(), AT_FDCWD, y.c_str(), RENAME_EXCHANGE);
    });
  });
  const auto end = std::chrono::steady_clock::now() + race_time();
  while (std::chrono::steady_clock::now() < end) {
    for (const auto& access :
         {std::function<void()>([&] { root.files().read("x"); }),
          std::function<void()>([&] { root.files().write("x", "content"); })}) {
      try {
        access();
      } catch (const Error& error) {
        EXPECT_EQ(error.code().value(), EINVAL) << error.what();
      }
    }
  }
  done = true;
}

}  // namespace
}  // namespace sandbox::test
