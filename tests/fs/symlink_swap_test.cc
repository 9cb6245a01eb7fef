// A thread of the payload swaps a directory for a symlink out of the root, as fast as it can, while
// the host works on paths through it: attacks.md, H-04 and H-05. Nothing outside may be touched.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <tuple>

#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;

// Of each operation. SANDBOX_RACE_SECONDS asks for more.
std::chrono::milliseconds race_time() {
  const char* seconds = std::getenv("SANDBOX_RACE_SECONDS");
  return seconds == nullptr ? std::chrono::milliseconds(700)
                            : std::chrono::seconds(std::atoi(seconds));
}

struct Operation {
  const char* name;
  std::function<void(const Files&, const std::string& host)> run;

  friend std::ostream& operator<<(std::ostream& out, const Operation& operation) {
    return out << operation.name;
  }
};

// More than all that is inside, even if it is met under each of its three names.
constexpr std::size_t kLargeBytes = 1 << 20;

void expect_not_canary(const std::string& content) { EXPECT_NE(content, "canary"); }

void expect_no_canary_in(int fd) {
  struct stat status = {};
  check(::fstat(fd, &status), "fstat");
  std::string content(static_cast<size_t>(status.st_size), '\0');
  check(::pread(fd, content.data(), content.size(), 0), "pread");
  EXPECT_EQ(content.find("canary"), std::string::npos);
}

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
    {"Chown", [](const Files& f, const std::string&) { f.chown("swap/f", "user"); }},
    {"Symlink",
     [](const Files& f, const std::string&) {
       f.symlink("f", "swap/link");
       f.remove("swap/link");
     }},
    {"DiskUsage",
     [](const Files& f, const std::string&) {
       EXPECT_LT(f.disk_usage("~").apparent_bytes, kLargeBytes);
     }},
    {"Touch", [](const Files& f, const std::string&) { f.touch("swap/f"); }},
    {"Metadata",
     [](const Files& f, const std::string&) {
       f.set_metadata("swap/f", {{"k", "v"}});
     }},
    {"Copy", [](const Files& f, const std::string&) { f.copy("swap", "copied"); }},
    {"UploadTar",
     [](const Files& f, const std::string& host) {
       const UniqueFd tar(check(::open((host + "/tar").c_str(), O_RDONLY | O_CLOEXEC), "open"));
       f.upload_tar(tar.get(), "swap");
     }},
    {"DownloadTar",
     [](const Files& f, const std::string&) {
       const UniqueFd tar(check(::memfd_create("tar", MFD_CLOEXEC), "memfd_create"));
       f.download_tar("~", tar.get());
       expect_no_canary_in(tar.get());
     }},
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

using Swapped = std::tuple<RootKind, Operation>;

class SymlinkSwap : public ::testing::TestWithParam<Swapped> {
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
    EXPECT_EQ(std::distance(fs::directory_iterator(outside_.path()), {}), 4);
    EXPECT_EQ(outside_.read("sub/kept"), "canary");
  }

  // What upload_tar() unpacks, made of another root's files.
  void make_archive() const {
    const TestRoot other(RootKind::Plain);
    other.files().write("f", "uploaded");
    const std::string path = host_.path("tar");
    const UniqueFd tar(check(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), "open"));
    other.files().download_tar("~", tar.get());
  }

  TestRoot root_{std::get<RootKind>(GetParam())};
  TempDir outside_ = TempDir::with({{"f", "canary"},
                                    {"only", "canary"},
                                    {"sub/kept", "canary"},
                                    {"large", std::string(kLargeBytes, 'x')}});
  TempDir host_ = TempDir::with({{"f", "uploaded"}, {"sub/g", "uploaded"}});
};

std::string name_of(const ::testing::TestParamInfo<Swapped>& info) {
  return ::testing::PrintToString(std::get<Operation>(info.param)) + '_' +
         ::testing::PrintToString(std::get<RootKind>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Operations, SymlinkSwap,
                         ::testing::Combine(::testing::Values(RootKind::Plain,
                                                              RootKind::PlainByAgent),
                                            ::testing::ValuesIn(kOperations)),
                         name_of);

TEST_P(SymlinkSwap, NothingOutsideIsTouched) {
  make_archive();
  std::atomic<bool> done = false;
  std::jthread payload([&] { swap_until(done); });
  EXPECT_TRUE(plain_access_escapes());
  const auto end = std::chrono::steady_clock::now() + race_time();
  int successes = 0;
  while (std::chrono::steady_clock::now() < end) {
    try {
      std::get<Operation>(GetParam()).run(root_.files(), host_.path());
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
