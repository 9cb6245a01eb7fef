// sudo inside a sandbox with a range of ids, and without one.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/runtime/box.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::becomes_true;
using test::Box;
using ::testing::HasSubstr;

class Sudo : public ::testing::Test {
 protected:
  void SetUp() override {
    test::require_subordinate_ids();
    if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
    box_.emplace(SandboxOptions{.ids = Ids::Range});
  }
  std::string out(const std::string& script) const { return box_->out(script); }
  CommandResult sh(const std::string& script) const { return box_->sh(script); }
  bool runs(const std::string& name) const {
    const CommandResult found =
        box_->sh("grep -qxs " + name + " /proc/[0-9]*/comm", {.user = "root"});
    return found.exit_code() == 0;
  }

  std::optional<Box> box_;
};

TEST_F(Sudo, RunsAsRootWithoutAPassword) {
  EXPECT_EQ(out("sudo id -u; sudo -n whoami; sudo -- id -un"), "0\nroot\nroot\n");
}

TEST_F(Sudo, GivesRootItsCapabilities) {
  EXPECT_EQ(out("sudo grep CapEff /proc/self/status"), "CapEff:\t00000000000004fb\n");
  EXPECT_EQ(out("touch file; sudo chown 33:34 file; stat -c %u:%g file"), "33:34\n");
}

TEST_F(Sudo, RunsAsTheUserItIsTold) {
  EXPECT_EQ(out("sudo -u user id -un; sudo -u '#1000' id -G; sudo sudo -u user id -u"),
            "user\n1000\n1000\n");
  EXPECT_THAT(sh("sudo -u stranger id").stderr_text, HasSubstr("unknown user stranger"));
}

TEST_F(Sudo, ExitCodeIsTheCommands) {
  EXPECT_EQ(sh("sudo sh -c 'exit 7'").exit_code(), 7);
  EXPECT_EQ(sh("sudo sh -c 'kill -TERM $$'; test $? = 143").exit_code(), 0);
  EXPECT_EQ(sh("sudo no-such-program").exit_code(), 1);
}

TEST_F(Sudo, PassesTheThreeStreamsAndTheDirectory) {
  EXPECT_EQ(out("cd /tmp; mkdir -m 700 own; cd own; echo in | sudo cat; sudo pwd"),
            "in\n/tmp/own\n");
  EXPECT_EQ(sh("sudo sh -c 'echo err >&2'").stderr_text, "err\n");
}

TEST_F(Sudo, StartsInTheRootDirectoryWhereTheUserMayNotBe) {
  const CommandResult result = box_->sh("sudo -u user pwd", {.user = "root"});
  EXPECT_EQ(result.stdout_text, "/\n") << result.stderr_text;
}

TEST_F(Sudo, ResetsTheEnvironmentUnlessTold) {
  EXPECT_EQ(out("export A=a; sudo B=b sh -c 'echo \"$A,$B,$HOME,$USER,$SUDO_USER,$SUDO_UID\"'"),
            ",b,/root,root,user,1000\n");
  EXPECT_EQ(out("export A=a; sudo -E sh -c 'echo \"$A,$HOME,$USER\"'"), "a,/home/user,root\n");
}

TEST_F(Sudo, GivesShells) {
  EXPECT_EQ(out("sudo -i pwd; sudo -s echo 'a  b'; echo 'echo $0' | sudo -i"),
            "/root\na  b\n-bash\n");
}

TEST_F(Sudo, RefusesWhatHasNoMeaning) {
  for (const char* const option : {"-l", "-b", "-e", "--chroot=/tmp", "-g wheel"}) {
    const CommandResult result = sh(std::string("sudo ") + option + " true");
    EXPECT_EQ(result.exit_code(), 1) << option;
    EXPECT_THAT(result.stderr_text, HasSubstr("has no meaning in a sandbox")) << option;
  }
  EXPECT_THAT(sh("sudo").stderr_text, HasSubstr("no command"));
  EXPECT_THAT(out("sudo -h"), HasSubstr("usage: sudo"));
}

TEST_F(Sudo, ForwardsSignals) {
  EXPECT_EQ(sh("sudo sh -c 'trap \"exit 9\" TERM; echo ready; while :; do sleep 0.01; done' |"
               "{ read word; pkill -TERM -o -u user sudo; cat; }")
                .exit_code(),
            0);
  EXPECT_TRUE(becomes_true([&] { return !runs("sleep"); }));
}

TEST_F(Sudo, KillingItKillsTheCommand) {
  sh("sudo sleep 1000 & while ! sudo pgrep -x sleep > /dev/null; do :; done; kill -KILL $!");
  EXPECT_TRUE(becomes_true([&] { return !runs("sleep"); }));
}

TEST_F(Sudo, TimeLimitReachesWhatItStarted) {
  Process limited = box_->start("sudo sh -c 'setsid -f sleep 1000; exec sleep 1001'",
                                {.timeout = std::chrono::milliseconds(500)});
  EXPECT_EQ(limited.wait(), Outcome(TimedOut{}));
  EXPECT_TRUE(becomes_true([&] { return !runs("sleep"); }));
}

TEST_F(Sudo, OtherUsersMayNot) {
  const CommandResult result =
      box_->sh("setpriv --reuid=33 --regid=33 --clear-groups sudo id", {.user = "root"});
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_THAT(result.stderr_text, HasSubstr("this user may not"));
}

TEST_F(Sudo, ItsSocketCannotBeReplaced) {
  EXPECT_NE(
      sh("sudo rm /dev/sudo || sudo mv /dev/sudo /tmp || sudo chmod 000 /dev/sudo").exit_code(), 0);
  EXPECT_EQ(out("sudo id -u"), "0\n");
}

TEST_F(Sudo, ManyAtOnceAreAllServed) {
  EXPECT_EQ(out("for i in $(seq 40); do sudo echo x & done | wc -l; wait"), "40\n");
}

TEST(SudoOfOneUser, IsNotThereWithoutRoot) {
  const Box box(SandboxOptions{.ids = Ids::Single});
  // The machine may have one of its own; ours is the launcher's program.
  EXPECT_NE(box.sh("grep -q 'started by the sandbox library' /usr/bin/sudo").exit_code(), 0);
}

TEST(SudoOfOneUser, SaysWhyNot) {
  const Box box(SandboxOptions{.user = "root", .ids = Ids::Single});
  const CommandResult result = box.sh("sudo -u user id");
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_THAT(result.stderr_text, HasSubstr("one user only"));
}

TEST(SudoOfOneUser, RunsWhatIsForThatUser) {
  const Box box(SandboxOptions{.user = "root", .ids = Ids::Single});
  EXPECT_EQ(box.out("sudo id -u"), "0\n");
}

TEST(SudoOfOneUser, LeavesATemplateAloneThatHasOtherDirectories) {
  namespace fs = std::filesystem;
  test::require_program("busybox");
  const test::TempDir root;
  fs::permissions(root.path(), fs::perms(0755));
  fs::create_directories(root.path("programs"));
  fs::create_directories(root.path("usr"));
  fs::copy_file("/bin/busybox", root.path("programs/sh"));
  fs::create_directory_symlink("/programs", root.path("usr/bin"));
  const Box box(SandboxOptions{.template_name = "dir:" + root.path()});
  EXPECT_EQ(box.commands().run({.argv = {"/usr/bin/sh", "-c", "echo found"}}).stdout_text,
            "found\n");
}

}  // namespace
}  // namespace sandbox
