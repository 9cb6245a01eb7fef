// sandboxctl cp: both directions, what it refuses, and what it leaves behind.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/cli/live_box.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

class Cp : public LiveBoxTest {
 protected:
  Ended cp(Words words, const std::string& input = {}, const ProgramSetup& setup = {}) const {
    words.insert(words.begin(), "cp");
    return box().run(words, input, setup);
  }
  const TempDir& host() const noexcept { return host_; }

 private:
  TempDir host_;
};

void expect_success(const Ended& end) {
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, IsEmpty());
}

void expect_copy_failure(const Ended& end, const std::string& text) {
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_THAT(end.err, AllOf(StartsWith("sandboxctl: copying: "), HasSubstr(text)));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
}

// Copies in progress write to files with hidden names.
size_t hidden_files(const std::string& directory) {
  size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(".sandbox-")) ++count;
  }
  return count;
}

TEST_F(Cp, FileMakesTheRoundTrip) {
  host().write("in.txt", "one\ntwo\nthree\n");
  expect_success(cp({host().path("in.txt"), inside("/home/user/in.txt")}));
  EXPECT_EQ(box().sh("wc -l < in.txt"), "3\n");
  box().sh("sort in.txt > out.txt");
  expect_success(cp({inside("out.txt"), host().path("out.txt")}));
  EXPECT_EQ(host().read("out.txt"), "one\nthree\ntwo\n");
  expect_success(box().run({"files", "rm", box().id(), "in.txt", "out.txt"}));
  EXPECT_EQ(box().sh("ls -A"), "");
}

TEST_F(Cp, ModeAndTimeAreKept) {
  host().write("script", "#!/bin/sh\necho ran\n");
  fs::permissions(host().path("script"), fs::perms(0755));
  expect_success(cp({host().path("script"), inside("script")}));
  EXPECT_EQ(box().sh("./script"), "ran\n");
  expect_success(cp({inside("script"), host().path("back")}));
  EXPECT_EQ(fs::status(host().path("back")).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::last_write_time(host().path("back")), fs::last_write_time(host().path("script")));
}

TEST_F(Cp, TreeMakesTheRoundTrip) {
  host().write("tree/a", "a");
  host().write("tree/sub/b", "b");
  host().write("tree/empty/", "");
  fs::create_symlink("sub/b", host().path("tree/link"));
  expect_success(cp({"-r", host().path("tree"), inside("tree")}));
  EXPECT_EQ(box().sh("cat tree/a tree/link"), "ab");
  expect_success(cp({inside("tree"), host().path("back"), "-r"}));
  EXPECT_EQ(host().read("back/sub/b"), "b");
  EXPECT_EQ(fs::read_symlink(host().path("back/link")), "sub/b");
  EXPECT_TRUE(fs::is_directory(host().path("back/empty")));
}

TEST_F(Cp, DirectoryThatExistsTakesTheSourceByItsName) {
  host().write("file", "x");
  host().write("there/", "");
  expect_success(cp({host().path("file"), inside("/home/user")}));
  expect_success(cp({inside("/home/user/file"), host().path("there")}));
  EXPECT_EQ(host().read("there/file"), "x");
  expect_success(cp({"-r", inside("~/"), host().path("there/")}));
  EXPECT_EQ(host().read("there/user/file"), "x");
  expect_success(cp({"-r", inside("/home/user/."), host().path("there")}));
  EXPECT_EQ(host().read("there/file"), "x");
}

TEST_F(Cp, StdinAndStdoutAreOneFile) {
  const std::string bytes("\0\xff\nx", 4);
  expect_success(cp({"-", inside("new/bytes")}, bytes));
  const Ended end = cp({inside("new/bytes"), "-"});
  expect_success(end);
  EXPECT_EQ(end.out, bytes);
}

TEST_F(Cp, EmptyStdinIsAnEmptyFile) {
  expect_success(cp({"-", inside("empty")}));
  EXPECT_EQ(box().sh("wc -c < empty"), "0\n");
}

TEST_F(Cp, UnknownSandboxIsNamed) {
  host().write("file", "x");
  const auto complaint = [](const Ended& end) {
    EXPECT_EQ(end.exit_code, 125);
    EXPECT_TRUE(is_one_line(end.err)) << end.err;
    return end.err;
  };
  EXPECT_THAT(complaint(cp({host().path("file"), "nosuch:/x"})), HasSubstr(": nosuch: "));
  EXPECT_THAT(complaint(cp({"nosuch:/x", host().path("file")})), HasSubstr(": nosuch: "));
  EXPECT_THAT(complaint(cp({"$(id):/x", host().path("file")})), HasSubstr(": $(id): "));
}

TEST_F(Cp, MissingFileIsNamed) {
  expect_copy_failure(cp({inside("/nosuch"), host().path("x")}),
                      "/nosuch: No such file or directory");
  expect_copy_failure(cp({host().path("nosuch"), inside("x")}),
                      "nosuch: No such file or directory");
  EXPECT_FALSE(host().exists("x"));
}

TEST_F(Cp, NamesInMessagesAreEscaped) {
  expect_copy_failure(cp({host().path("a\nsandboxctl: b\x1b[2J"), inside("x")}),
                      "a\\nsandboxctl: b\\x1b[2J: No such file");
}

TEST_F(Cp, DirectoryNeedsTheOption) {
  host().write("tree/a", "a");
  expect_copy_failure(cp({host().path("tree"), inside("tree")}), "hint: -r copies directories");
  expect_copy_failure(cp({inside("/home/user"), host().path("back")}),
                      "hint: -r copies directories");
  expect_copy_failure(cp({inside("/home/user"), "-"}), "Is a directory");
  EXPECT_FALSE(host().exists("back"));
}

TEST_F(Cp, DirectoryThatDoesNotExistIsNotMadeForAFile) {
  host().write("file", "x");
  expect_copy_failure(cp({host().path("file"), inside("nosuch/")}), "nosuch/: No such file");
  expect_copy_failure(cp({"-", inside("/home/user")}, "x"), "/home/user: Is a directory");
}

TEST_F(Cp, TargetOfTheHostThatCannotBeWrittenIsNamed) {
  box().sh("echo x > file");
  expect_copy_failure(cp({inside("file"), "/proc/nosuch"}), "nosuch: No such file or directory");
  expect_copy_failure(cp({inside("file"), host().path("no/such/dir")}),
                      "No such file or directory");
}

TEST_F(Cp, DirectoryOfTheHostWithoutPermissionIsNamed) {
  require_unprivileged();
  box().sh("echo x > file");
  host().write("locked/", "");
  fs::permissions(host().path("locked"), fs::perms(0500));
  expect_copy_failure(cp({inside("file"), host().path("locked/file")}), "Permission denied");
}

TEST_F(Cp, FullDiskLeavesNothingBehind) {
  require_root();
  box().sh("head -c 4000000 /dev/zero > big; echo x > small");
  const ChildEnd end = in_child([&]() -> std::string {
    check(::unshare(CLONE_NEWNS), "unshare");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount", "/");
    host().write("disk/", "");
    const std::string disk = host().path("disk");
    check(::mount("none", disk.c_str(), "tmpfs", 0, "size=1m"), "mount", disk);
    expect_success(cp({inside("small"), disk}));
    expect_copy_failure(cp({inside("big"), disk}), "No space left on device");
    EXPECT_EQ(hidden_files(disk), 0U);
    EXPECT_FALSE(host().exists("disk/big"));
    return "";
  });
  EXPECT_EQ(end.exit_code, 0) << end.text;
}

TEST_F(Cp, FifosAndSocketsAreLeftOutAndNamed) {
  box().sh("mkdir tree; echo x > tree/file; mkfifo tree/pipe");
  const Ended end = cp({"-r", inside("tree"), host().path("back")});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.err, HasSubstr("pipe: left out"));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
  EXPECT_EQ(host().read("back/file"), "x\n");
  EXPECT_FALSE(host().exists("back/pipe"));
}

TEST_F(Cp, TreeIsNotWrittenThroughASymlinkThatCameBefore) {
  host().write("victim/", "");
  host().write("out/", "");
  box().sh("ln -s " + host().path("victim") + " evil");
  expect_success(cp({"-r", inside("/home/user/."), host().path("out")}));
  EXPECT_TRUE(fs::is_symlink(host().path("out/evil")));
  box().sh("rm evil; mkdir evil; echo x > evil/file");
  expect_copy_failure(cp({"-r", inside("evil"), host().path("out")}),
                      "symbolic link is in the way");
  EXPECT_FALSE(host().exists("victim/file"));
  // One that the user has named is the user's own.
  fs::create_symlink(host().path("victim"), host().path("mine"));
  expect_success(cp({"-r", inside("evil/."), host().path("mine")}));
  EXPECT_TRUE(host().exists("victim/file"));
}

TEST_F(Cp, ReaderOfStdoutThatLeavesEndsItBySigpipe) {
  box().sh("head -c 4000000 /dev/zero > big");
  Program program({"cp", inside("big"), "-"}, box().setup());
  program.await_stdout(std::string(1, '\0'));
  program.close_stdout();
  const Ended end = program.wait();
  EXPECT_EQ(end.signal, SIGPIPE);
  EXPECT_THAT(end.err, IsEmpty());
}

TEST_F(Cp, FullDiskBehindStdoutIsAFailure) {
  box().sh("echo x > file");
  const Ended end = cp({inside("file"), "-"}, "", {.stdout_path = "/dev/full"});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("stdout: No space left on device"));
}

TEST_F(Cp, HugeFilesTakeLittleMemory) {
  const UniqueFd sparse(
      check(::open(host().path("sparse").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "open"));
  check(::ftruncate(sparse.get(), off_t{1} << 40), "ftruncate");
  check(::pwrite(sparse.get(), "end", 3, (off_t{1} << 40) - 3), "pwrite");
  const Ended up = cp({host().path("sparse"), inside("sparse")});
  expect_success(up);
  EXPECT_EQ(box().sh("stat -c %s sparse; tail -c 3 sparse"), "1099511627776\nend");
  expect_success(cp({inside("sparse"), host().path("back")}));
  EXPECT_EQ(fs::file_size(host().path("back")), uint64_t{1} << 40);

  box().sh("head -c 200000000 /dev/zero > dense");
  const Ended down = cp({inside("dense"), host().path("dense")});
  expect_success(down);
  EXPECT_EQ(fs::file_size(host().path("dense")), 200'000'000U);
  if (is_sanitized()) return;
  EXPECT_LT(up.peak_memory_bytes, 100U << 20);
  EXPECT_LT(down.peak_memory_bytes, 100U << 20);
}

TEST_F(Cp, InterruptedStdinLeavesNoFile) {
  Program program({"cp", "-", inside("/home/user/new")}, box().setup());
  program.write_stdin("half");
  while (box().sh("ls -A").empty()) std::this_thread::yield();
  EXPECT_THAT(box().sh("ls -A"), StartsWith(".sandbox-"));
  program.signal(SIGINT);
  const Ended end = program.wait();
  EXPECT_EQ(end.signal, SIGINT);
  EXPECT_EQ(box().sh("ls -A"), "");
}

class InterruptedCp : public Cp, public ::testing::WithParamInterface<int> {};

TEST_P(InterruptedCp, LeavesNoHiddenFile) {
  constexpr size_t kFiles = 5'000;
  box().sh("mkdir tree; cd tree; n=0; while [ $n -lt 5000 ]; do echo x > $n; n=$((n+1)); done");
  host().write("out/", "");
  Program program({"cp", "-r", inside("tree"), host().path("out")}, box().setup());
  while (!host().exists("out/tree")) std::this_thread::yield();
  program.signal(GetParam());
  EXPECT_EQ(program.wait().signal, GetParam());
  EXPECT_EQ(hidden_files(host().path("out")), 0U);
  const auto entries = fs::directory_iterator(host().path("out/tree"));
  EXPECT_LT(std::distance(begin(entries), end(entries)), kFiles);
}

INSTANTIATE_TEST_SUITE_P(Cli, InterruptedCp, ::testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST_F(Cp, SandboxThatHasEndedIsNoTarget) {
  host().write("file", "x");
  LiveBox other;
  other.destroy();
  const Ended end = other.run({"cp", host().path("file"), other.at("file")});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr(other.id()));
}

TEST_F(Cp, SandboxThatEndsMeanwhileIsNoSuccess) {
  LiveBox other;
  Program program({"cp", "-", other.at("/home/user/new")}, other.setup());
  program.write_stdin("half");
  while (other.sh("ls -A").empty()) std::this_thread::yield();
  other.destroy();
  expect_copy_failure(program.wait(), "the sandbox has ended");
}

TEST_F(Cp, UnknownUserIsNamed) {
  host().write("file", "x");
  expect_copy_failure(cp({"-u", "nosuch", host().path("file"), inside("file")}), "nosuch");
}

}  // namespace
}  // namespace sandbox::test
