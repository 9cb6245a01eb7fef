// Package managers as root of a sandbox with a range of ids, in a root file system of a few
// programs of the machine, on a package that is built here. No network.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/runtime/box.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

using test::Box;
using test::TempDir;
using ::testing::HasSubstr;

void run_outside(const std::string& command) {
  ASSERT_EQ(std::system((command + " < /dev/null > /dev/null").c_str()), 0) << command;
}

// A sandbox over that root, with the package in /tmp.
class PackageBox {
 public:
  PackageBox() {
    test::require_program("dpkg-deb");
    test::require_program("apt-get");
    test::require_subordinate_ids();
    if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
    ::chmod(directory_.path().c_str(), 0755);
    run_outside(std::string("sh ") + MAKE_PACKAGES + ' ' + directory_.path());
    // A template of root belongs to the ids of the sandbox, as one that was imported does.
    if (::geteuid() == 0) give_to_sandbox();
    box_.emplace(SandboxOptions{
        .template_name = "dir:" + directory_.path("root"),
        .mounts = {{directory_.path("hello.deb"), "/tmp/hello.deb", Access::ReadOnly}},
        .ids = Ids::Range});
  }

  CommandResult as_root(const std::string& script) const {
    return box_->sh(script, {.user = "root"});
  }

 private:
  void give_to_sandbox() const {
    const Box plain(SandboxOptions{.ids = Ids::Range});
    struct stat home {};
    const std::string path = "/proc/" + std::to_string(plain.sandbox().host_pid()) + "/root/root";
    ASSERT_EQ(::stat(path.c_str(), &home), 0);
    run_outside("chown -R " + std::to_string(home.st_uid) + ':' + std::to_string(home.st_gid) +
                ' ' + directory_.path("root"));
  }

  TempDir directory_;
  std::optional<Box> box_;
};

TEST(Packages, DpkgInstallsAndRemoves) {
  const PackageBox box;
  const CommandResult installed = box.as_root("dpkg -i /tmp/hello.deb && hello-inside");
  EXPECT_THAT(installed.stdout_text, HasSubstr("Setting up hello-inside (1.0) ...\nhello\n"))
      << installed.stderr_text;
  EXPECT_EQ(box.as_root("stat -c %u:%g /usr/bin/hello-inside /etc/hello.conf").stdout_text,
            "0:0\n33:34\n");
  EXPECT_EQ(box.as_root("dpkg --purge hello-inside && ! test -e /etc/hello.conf").exit_code(), 0);
}

TEST(Packages, AptGetInstalls) {
  const PackageBox box;
  const CommandResult installed = box.as_root("apt-get install -y /tmp/hello.deb && hello-inside");
  EXPECT_THAT(installed.stdout_text, HasSubstr("\nhello\n")) << installed.stderr_text;
  EXPECT_EQ(installed.exit_code(), 0);
}

}  // namespace
}  // namespace sandbox
