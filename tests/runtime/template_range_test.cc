// Build steps with a range of ids: files of several users, and packages.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "sandbox/error.h"
#include "sandbox/runtime.h"
#include "sandbox/templates.h"
#include "tests/runtime/box.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::Box;
using test::FailsWith;
using test::TempDir;
using ::testing::HasSubstr;

class TemplateRange : public ::testing::Test {
 protected:
  void SetUp() override {
    test::require_user_namespaces();
    test::require_subordinate_ids();
  }

  void build(const std::string& text) {
    files_.write("app.yaml", text);
    info_ = templates_.build(files_.path("app.yaml"));
  }

  static std::string out_of(const std::string& name, const std::string& script) {
    return Box(SandboxOptions{.template_name = name}).out(script);
  }

  // Of the sandboxes that steps ran in.
  static bool is_nothing_left() {
    const fs::path boxes = Box::data_directory() + "/boxes";
    return !fs::exists(boxes) || fs::is_empty(boxes);
  }

  Templates templates_;
  TempDir files_;
  TemplateInfo info_;
};

constexpr const char* kOthers =
    "mkdir -m 700 /opt/d && echo x >/opt/d/f && chown -R 33:34 /opt/d && ln -s f /opt/d/l && "
    "echo y >/opt/r && chmod 600 /opt/r && ln /opt/d/f /opt/h && rm -r /srv";

TEST_F(TemplateRange, FilesOfOthersBecomeTheCallersOwn) {
  build(std::string("name: range\nids: range\nuser: root\nsteps:\n  - run: ") + kOthers +
        "\n  - run: test \"$(cat /opt/d/f /opt/r /opt/h)\" = \"$(printf 'x\\ny\\nx')\"\n");
  SandboxOptions single{.template_name = "range", .user = "user", .ids = Ids::Single};
  EXPECT_EQ(Box(single).out("cat /opt/d/f /opt/d/l /opt/r; stat -c %h /opt/h; test -e /srv || "
                            "echo no; stat -c %U /opt/d/f"),
            "x\nx\ny\n2\nno\nuser\n");
  EXPECT_TRUE(templates_.verify("range").empty());
  EXPECT_TRUE(is_nothing_left());
}

TEST_F(TemplateRange, AutoIsARangeWhereTheTemplateSaysSo) {
  if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
  build("name: range\nids: range\n");
  EXPECT_EQ(info_.ids, Ids::Range);
  EXPECT_NE(out_of("range", "wc -l </proc/self/gid_map; cat /proc/self/setgroups"), "1\ndeny\n");
  SandboxOptions single{.template_name = "range", .ids = Ids::Single};
  EXPECT_EQ(Box(single).out("wc -l </proc/self/gid_map"), "1\n");
}

TEST_F(TemplateRange, StepThatFailsLeavesNothing) {
  const auto failing = [&] {
    build(std::string("name: range\nids: range\nuser: root\nsteps: [run: \"") + kOthers +
          " && exit 3\"]\n");
  };
  EXPECT_THAT(failing, FailsWith(ECANCELED));
  EXPECT_TRUE(is_nothing_left());
}

// As a build that was killed leaves it.
TEST_F(TemplateRange, CollectorRemovesWhatOthersOwn) {
  if (::geteuid() != 0) test::require_user_xattrs_on_tmpfs();
  const TempDir elsewhere;
  fs::create_directory(elsewhere.path("upper"));
  fs::permissions(elsewhere.path(), fs::perms::all);
  fs::permissions(elsewhere.path("upper"), fs::perms::all);
  {
    const Box box(SandboxOptions{.mounts = {{elsewhere.path("upper"), "/mnt/x", Access::ReadWrite}},
                                 .ids = Ids::Range});
    box.sh("mkdir -m 700 /mnt/x/d && touch /mnt/x/d/f && chown -R 33 /mnt/x/d", {.user = "root"});
  }
  const std::string dead = Box::data_directory() + "/boxes/dead";
  fs::create_directories(dead);
  fs::rename(elsewhere.path("upper"), dead + "/upper");
  Runtime runtime;
  EXPECT_EQ(fs::exists(dead), ::geteuid() != 0);
  runtime.collect();
  EXPECT_FALSE(fs::exists(dead));
}

TEST_F(TemplateRange, AptInstalls) {
  test::require_program("dpkg-deb");
  test::require_program("apt-get");
  const std::string command = std::string("sh ") + MAKE_PACKAGES + ' ' + files_.path();
  ASSERT_EQ(std::system((command + " < /dev/null > /dev/null").c_str()), 0);
  build(
      "name: packages\nfrom: dir:root\nsteps:\n  - copy: {from: hello.deb, to: /opt/hello.deb}\n"
      "  - apt: /opt/hello.deb\n");
  EXPECT_EQ(out_of("packages", "hello-inside; cat /etc/hello.conf"), "hello\ngreeting\n");
  EXPECT_EQ(info_.ids, Ids::Auto);
}

TEST_F(TemplateRange, PackageThatIsNotThereIsExplained) {
  test::require_program("apt-get");
  const std::string command = std::string("sh ") + MAKE_PACKAGES + ' ' + files_.path();
  ASSERT_EQ(std::system((command + " < /dev/null > /dev/null").c_str()), 0);
  try {
    build("name: packages\nfrom: dir:root\nsteps: [apt: no-such-package]\n");
    FAIL() << "it was built";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("Unable to locate package no-such-package"));
    EXPECT_THAT(error.hint(), HasSubstr("network: host"));
  }
}

}  // namespace
}  // namespace sandbox
