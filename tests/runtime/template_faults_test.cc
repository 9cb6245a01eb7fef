// The store of templates when the machine fails it: a full disk, one that cannot be written to,
// builds that are killed, and several at once.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/kernel_file.h"
#include "runtime/base/pipe.h"
#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "sandbox/templates.h"
#include "tests/runtime/box.h"
#include "tests/support/in_child.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::Box;
using test::TempDir;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string store_path(const std::string& part = {}) {
  return Box::data_directory() + "/templates" + part;
}

std::ptrdiff_t entries_in(const std::string& part) {
  return std::distance(fs::directory_iterator(store_path(part)), {});
}

// Mounts of its own. Root needs no other user namespace, and in one could not give files away.
void enter_mount_namespace() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  check(::unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS), "unshare");
  if (uid != 0) {
    const std::string uid_map = std::to_string(uid) + " " + std::to_string(uid) + " 1";
    const std::string gid_map = std::to_string(gid) + " " + std::to_string(gid) + " 1";
    write_kernel_file(AT_FDCWD, "/proc/self/setgroups", "deny");
    write_kernel_file(AT_FDCWD, "/proc/self/uid_map", uid_map);
    write_kernel_file(AT_FDCWD, "/proc/self/gid_map", gid_map);
  }
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount", "/");
}

// A disk of its own for everything we store: small, and nobody else's sync(2) to wait for.
void mount_disk() {
  const std::string path = Box::data_directory();
  fs::create_directories(path);
  const char* const options = ::geteuid() == 0 ? "size=16m,mode=0711" : "size=16m,mode=0700";
  check(::mount("none", path.c_str(), "tmpfs", 0, options), "mount", path);
}

// Runs `body` in a child that has such a disk.
test::ChildEnd on_a_disk(const std::function<std::string()>& body) {
  return test::in_child([&] {
    enter_mount_namespace();
    mount_disk();
    return body();
  });
}

// The hint of what `work` throws.
std::string hint_of(int errno_value, const std::function<void()>& work) {
  try {
    work();
    return "nothing was thrown";
  } catch (const Error& error) {
    return error.code().value() == errno_value ? error.hint() : error.what();
  }
}

class TemplateFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    test::require_user_namespaces();
    test::require_user_xattrs_on_tmpfs();
  }

  std::string write_manifest(const std::string& word, const std::string& name = "app.yaml") const {
    files_.write(name, "name: t\nsteps:\n  - write: {path: /opt/word, content: " + word +
                           "}\n  - run: echo step; mkdir -p /home/user/many; cd /home/user/many; "
                           "touch 1 2 3 4 5 6 7 8 9\n  - write: {path: /opt/word2, content: " +
                           word + "}\n");
    return files_.path(name);
  }

  // `source` named `t` is there and whole.
  static void expect_old_template() {
    EXPECT_THAT(Templates().verify("t"), IsEmpty());
    EXPECT_EQ(Box(SandboxOptions{.template_name = "t"}).out("cat /opt/word"), "old");
  }

  TempDir files_;
};

TEST_F(TemplateFaults, FullDiskLeavesTheOldTemplatesAndSaysSo) {
  files_.write("big/file", std::string(32 << 20, 'x'));
  const std::string big = "dir:" + files_.path("big");
  const std::string manifest = write_manifest("new", "new.yaml");
  const test::ChildEnd end = on_a_disk([&]() -> std::string {
    Templates().build(write_manifest("old"));
    const auto names = [] { return entries_in("/names") + entries_in("/layers"); };
    const auto before = names();
    EXPECT_THAT(hint_of(ENOSPC, [&] { Templates().import(big, "big"); }), HasSubstr("make room"));
    EXPECT_EQ(entries_in("/drafts"), 0);
    {
      const std::string filler = store_path("/filler");  // To the last block and inode.
      const UniqueFd file(::open(filler.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
      const std::string block(4096, 'x');
      while (::write(file.get(), block.data(), block.size()) > 0) continue;
      EXPECT_THAT(hint_of(ENOSPC, [&] { Templates().build(manifest); }), HasSubstr("make room"));
      // Of the same steps, so that only the record is to be written.
      files_.write("same.yaml", files_.read("app.yaml") + "# The same.\n");
      EXPECT_THAT(hint_of(ENOSPC, [&] { Templates().build(files_.path("same.yaml")); }),
                  HasSubstr("make room"));
      expect_old_template();
      ::unlink(filler.c_str());
    }
    EXPECT_EQ(entries_in("/drafts"), 0);
    Templates().collect();
    EXPECT_EQ(names(), before);
    Templates().build(manifest);  // With room again.
    return Box(SandboxOptions{.template_name = "t"}).out("cat /opt/word");
  });
  EXPECT_EQ(end, (test::ChildEnd{.exit_code = 0, .text = "new"}));
}

TEST_F(TemplateFaults, ReadOnlyStoreKeepsItsTemplatesUsable) {
  const test::ChildEnd end = on_a_disk([&]() -> std::string {
    Templates().build(write_manifest("old"));
    expect_old_template();
    const std::string disk = Box::data_directory();
    const std::string path = store_path();
    check(::mount(nullptr, disk.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
          "mount", disk);
    const std::string manifest = write_manifest("new");
    EXPECT_THAT(hint_of(EROFS, [&] { Templates().build(manifest); }), HasSubstr(path));
    EXPECT_THAT(hint_of(EROFS, [&] { Templates().import("dir:" + files_.path(), "d"); }),
                HasSubstr(path));
    EXPECT_THAT(hint_of(EROFS, [&] { Templates().remove("t"); }), HasSubstr(path));
    EXPECT_EQ(Templates().list().size(), 1U);
    expect_old_template();
    return "";
  });
  EXPECT_EQ(end, (test::ChildEnd{.exit_code = 0, .text = ""}));
}

// Builds one after the other until it is killed; a byte to `progress` for each step and output.
[[noreturn]] void build_for_ever(const std::vector<std::string>& manifests, int progress) {
  const auto tell = [&] { static_cast<void>(::write(progress, "x", 1)); };
  const BuildOptions options{.use_cache = false,
                             .on_step = [&](const BuildStep&) { tell(); },
                             .on_output = [&](std::string_view) { tell(); }};
  for (;;) {
    for (const std::string& manifest : manifests) Templates().build(manifest, options);
  }
}

std::string words_of_template() {
  return Box(SandboxOptions{.template_name = "t"}).out("cat /opt/word /opt/word2");
}

// A template of nobody's but `t`, and nothing half-done.
void expect_only_the_template() {
  EXPECT_THAT(Templates().verify("t"), IsEmpty());
  EXPECT_EQ(entries_in("/drafts"), 0);
  EXPECT_EQ(entries_in("/retired"), 0);
  const auto layers = static_cast<std::ptrdiff_t>(Templates().inspect("t").layers.size());
  EXPECT_EQ(entries_in("/layers"), layers);
}

// Kills a builder after some steps, somewhere in the next one.
void kill_a_build(const std::vector<std::string>& manifests, std::mt19937& random) {
  Pipe progress = make_pipe();
  const pid_t child = check(::fork(), "fork");
  if (child == 0) build_for_ever(manifests, progress.writer.get());
  progress.writer.reset();
  char byte = 0;
  for (auto left = random() % 10; left > 0; --left) {
    EXPECT_EQ(::read(progress.reader.get(), &byte, 1), 1);
  }
  ::poll(nullptr, 0, static_cast<int>(random() % 20));
  ::kill(child, SIGKILL);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(TemplateFaults, KilledBuildLeavesAWholeTemplateAndWhatCanBeCollected) {
  const std::vector<std::string> manifests{write_manifest("one", "1.yaml"),
                                           write_manifest("two", "2.yaml")};
  const test::ChildEnd end = on_a_disk([&] {
    Templates().build(manifests.back());
    std::mt19937 random(4711);
    for (int round = 0; round < 12; ++round) {
      kill_a_build(manifests, random);
      EXPECT_THAT(Templates().verify("t"), IsEmpty()) << round;
    }
    // The sandbox of the last step dies a moment after its builder.
    EXPECT_TRUE(test::becomes_true([] {
      Templates().collect();
      return entries_in("/drafts") == 0;
    }));
    expect_only_the_template();
    return words_of_template();
  });
  EXPECT_EQ(end.exit_code, 0) << end.text;
  EXPECT_THAT(end.text, ::testing::AnyOf("oneone", "twotwo"));
}

TEST_F(TemplateFaults, BuildsOfOneTemplateAtOnceLeaveOneWhole) {
  const std::vector<std::string> manifests{write_manifest("one", "1.yaml"),
                                           write_manifest("two", "2.yaml"),
                                           write_manifest("one", "3.yaml")};
  const test::ChildEnd end = on_a_disk([&] {
    std::vector<std::jthread> builders;
    for (const std::string& manifest : manifests) {
      builders.emplace_back([&manifest] {
        for (int i = 0; i < 3; ++i) Templates().build(manifest, {.use_cache = i == 1});
      });
    }
    builders.clear();
    Templates().collect();
    expect_only_the_template();
    return words_of_template();
  });
  EXPECT_EQ(end.exit_code, 0) << end.text;
  EXPECT_THAT(end.text, ::testing::AnyOf("oneone", "twotwo"));
}

}  // namespace
}  // namespace sandbox
