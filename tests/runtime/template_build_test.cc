// Templates from import and manifest to the sandboxes made of them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TemplateBuild : public ::testing::Test {
 protected:
  void SetUp() override { test::require_user_namespaces(); }

  // Builds `text` as app.yaml; what its commands printed.
  std::string build(const std::string& text) {
    files_.write("app.yaml", text);
    std::string output;
    steps_.clear();
    const BuildOptions options{
        .on_step = [&](const BuildStep& step) { steps_.push_back(step.cached ? "old" : "new"); },
        .on_output = [&](std::string_view chunk) { output += chunk; }};
    info_ = templates_.build(files_.path("app.yaml"), options);
    return output;
  }

  std::string out_of(const std::string& name, const std::string& script) {
    return Box(SandboxOptions{.template_name = name}).out(script);
  }

  Templates templates_;
  TempDir files_;
  TemplateInfo info_;
  std::vector<std::string> steps_;
};

TEST_F(TemplateBuild, EveryStepShowsInTheSandbox) {
  files_.write("app/main.py", "print('main')");
  files_.write("app/sub/x", "x");
  const std::string output = build(R"(
name: every-step
workdir: /home/user/app
env: {GREETING: hello}
steps:
  - mkdir: /home/user/app
  - copy: {from: app, to: /home/user/app}
  - copy: {from: app/main.py, to: /opt/deep/main.py}
  - write: {path: /etc/profile, content: "written", mode: "0600"}
  - remove: /srv
  - symlink: {path: /mnt/a/link, target: /etc/profile}
  - run: echo $GREETING; pwd
  - env: {LATE: "1"}
)");
  EXPECT_EQ(output, "hello\n/home/user/app\n");
  EXPECT_EQ(out_of("every-step",
                   "pwd; cat main.py sub/x /opt/deep/main.py /mnt/a/link; ls -d /srv "
                   "2>/dev/null; stat -c %a /etc/profile; echo $GREETING $LATE"),
            "/home/user/app\nprint('main')xprint('main')written600\nhello 1\n");
}

TEST_F(TemplateBuild, UnchangedPrefixIsNotDoneAgain) {
  files_.write("file", "one");
  const std::string manifest =
      "name: cache\nsteps:\n  - run: echo first\n  - copy: {from: file, to: /opt/file}\n"
      "  - run: echo last\n";
  EXPECT_EQ(build(manifest), "first\nlast\n");
  EXPECT_THAT(steps_, ElementsAre("new", "new", "new"));
  EXPECT_EQ(build(manifest), "");
  EXPECT_THAT(steps_, ElementsAre("old", "old", "old"));
  EXPECT_EQ(build(manifest + "  - run: echo more\n"), "more\n");
  EXPECT_THAT(steps_, ElementsAre("old", "old", "old", "new"));
  files_.write("file", "two");
  build(manifest);
  EXPECT_THAT(steps_, ElementsAre("old", "new", "new"));
  EXPECT_EQ(out_of("cache", "cat /opt/file"), "two");
  ::chmod(files_.path("file").c_str(), 0755);
  build(manifest);
  EXPECT_THAT(steps_, ElementsAre("old", "new", "new"));
}

TEST_F(TemplateBuild, IgnoreFileKeepsFilesOutOfCopiesAndKeys) {
  files_.write(".dockerignore", "# of this project\n**/*.o\napp/log\n!app/log/keep\n/secret\n");
  for (const char* const name : {"app/a.c", "app/a.o", "app/sub/b.o", "app/log/x", "app/log/keep",
                                 "app/secret", "plain/file"}) {
    files_.write(name, name);
  }
  ::chmod(files_.path("app/log").c_str(), 0700);
  const std::string manifest =
      "name: ignore\nsteps:\n  - copy: {from: plain, to: /opt/plain}\n"
      "  - copy: {from: app, to: /opt/app}\n";
  build(manifest);
  EXPECT_EQ(out_of("ignore", "cd /opt; find . -type f | sort; stat -c %a app/log"),
            "./app/a.c\n./app/log/keep\n./app/secret\n./plain/file\n700\n");
  files_.write("app/a.o", "changed");
  build(manifest);
  EXPECT_THAT(steps_, ElementsAre("old", "old"));
  files_.write(".dockerignore", "");
  build(manifest);
  EXPECT_THAT(steps_, ElementsAre("old", "new"));
  EXPECT_EQ(out_of("ignore", "cat /opt/app/a.o"), "changed");
}

TEST_F(TemplateBuild, TarIsImportedAgainOnlyWhenItChanged) {
  const auto pack = [&](const std::string& word) {
    files_.write("root/etc/word", word);
    const std::string command =
        "tar -C " + files_.path("root") + " -cf " + files_.path("a.tar") + " .";
    ASSERT_EQ(std::system(command.c_str()), 0);
  };
  pack("one");
  build("name: tar\nfrom: tar:a.tar\n");
  const std::string first = info_.layers.at(0).digest;
  build("name: tar\nfrom: tar:a.tar\nuser: user\n");
  EXPECT_EQ(info_.layers.at(0).digest, first);
  pack("two");
  build("name: tar\nfrom: tar:a.tar\n");
  EXPECT_NE(info_.layers.at(0).digest, first);
}

TEST_F(TemplateBuild, FailedStepSaysWhatItPrintedAndLeavesTheTemplate) {
  build("name: failing\nsteps:\n  - write: {path: /opt/v, content: one}\n");
  try {
    build("name: failing\nsteps:\n  - run: echo 'no such thing'; exit 3\n");
    FAIL() << "it was built";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), ECANCELED);
    EXPECT_THAT(error.subject(), HasSubstr("app.yaml:3:5"));
    EXPECT_THAT(error.hint(), HasSubstr("exited with 3"));
    EXPECT_THAT(error.hint(), HasSubstr("no such thing"));
  }
  EXPECT_EQ(out_of("failing", "cat /opt/v"), "one");
}

std::string hint_of(const std::function<void()>& call, int expected) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), expected) << error.what();
    return error.hint();
  }
  ADD_FAILURE() << "it worked";
  return {};
}

TEST_F(TemplateBuild, PackagesAreRefusedWhereTheyCannotBe) {
  const auto on_host = [&] { build("name: refused\nsteps: [apt: git]\n"); };
  EXPECT_THAT(hint_of(on_host, EOPNOTSUPP), HasSubstr("read-only"));
  files_.write("root/etc/name", "x");
  const auto with_one_id = [&] {
    build("name: refused\nfrom: dir:root\nids: single\nsteps: [apt: git]\n");
  };
  EXPECT_THAT(hint_of(with_one_id, EOPNOTSUPP), HasSubstr("dpkg gives files to other users"));
}

TEST_F(TemplateBuild, UserWhomTheTemplateDoesNotHaveIsNamed) {
  build("name: nobody\nuser: postgres\n");
  EXPECT_THAT(hint_of([] { Box(SandboxOptions{.template_name = "nobody"}); }, EINVAL),
              HasSubstr("/etc/passwd does not have it"));
  const Box box(SandboxOptions{.template_name = "nobody", .user = "user"});
  EXPECT_EQ(box.out("id -un"), "user\n");
}

// A limit that takes no cgroup, and one that does.
TEST_F(TemplateBuild, LimitsAreThoseOfItsSandboxesUnlessTheyHaveTheirOwn) {
  build("name: limited\nlimits: {open_files: 100, file_size: 1M}\nsteps: [run: ulimit -n]\n");
  EXPECT_EQ(info_.limits.open_files, 100);
  EXPECT_EQ(out_of("limited", "ulimit -n"), "100\n");
  SandboxOptions own{.template_name = "limited"};
  own.limits.open_files = 200;
  EXPECT_EQ(Box(own).out("ulimit -n; ulimit -f"), "200\n2048\n");
  SandboxOptions without{.template_name = "limited", .with_template_limits = false};
  EXPECT_EQ(Box(without).out("ulimit -n"), "1024\n");
}

TEST_F(TemplateBuild, StepsAreNotLimited) {
  EXPECT_EQ(build("name: steps\nlimits: {open_files: 100}\nsteps: [run: ulimit -Sn]\n"), "1024\n");
  EXPECT_EQ(build("name: more\nfrom: template:steps\nsteps: [run: ulimit -n]\n"), "1024\n");
  EXPECT_EQ(out_of("more", "ulimit -n"), "100\n");
}

TEST_F(TemplateBuild, LimitThatIsRefusedNamesTheTemplate) {
  build("name: greedy\nlimits: {memory: 1K}\n");
  const auto create = [](SandboxOptions options) { Box{options}; };
  SandboxOptions options{.template_name = "greedy"};
  EXPECT_THAT(hint_of([&] { create(options); }, EINVAL), HasSubstr("the template greedy asks"));
  options.with_template_limits = false;
  EXPECT_NO_THROW(create(options));
  options.limits.memory_bytes = 1024;  // The caller's own mistake.
  EXPECT_THAT(hint_of([&] { create(options); }, EINVAL), Not(HasSubstr("template")));
}

TEST_F(TemplateBuild, TemplateOfATemplateHasBoth) {
  build("name: below\nenv: {A: a}\nsteps: [run: echo below >/opt/below]\n");
  build("name: above\nfrom: template:below\nenv: {B: b}\nsteps: [run: echo above >/opt/above]\n");
  EXPECT_EQ(out_of("above", "cat /opt/below /opt/above; echo $A$B"), "below\nabove\nab\n");
  EXPECT_EQ(info_.layers.size(), 2U);
}

TEST_F(TemplateBuild, SetIdBitsAndFifosOfAStepAreNotStored) {
  build(
      "name: strip\nsteps:\n  - run: cd /opt; echo x >f; chmod 6755 f; mkfifo p; chmod 0 f\n"
      "  - run: cd /opt; echo y >g; chmod 4711 g\n");
  EXPECT_EQ(out_of("strip", "cd /opt; stat -c '%n %a' *"), "f 400\ng 711\n");
}

TEST_F(TemplateBuild, TenLayersAreAMount) {
  std::string manifest = "name: ten\nsteps:\n";
  for (const char* const digit : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
    manifest.append("  - run: echo ").append(digit).append(" >/opt/").append(digit).append("\n");
  }
  build(manifest);
  EXPECT_EQ(info_.layers.size(), 10U);
  EXPECT_EQ(out_of("ten", "cat /opt/*"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  EXPECT_TRUE(templates_.verify("ten").empty());
}

TEST_F(TemplateBuild, AsManyLayersAsAreAllowedAreAMount) {
  std::string manifest = "name: most\nsteps:\n";
  for (int i = 0; i < 48; ++i) {
    manifest.append("  - mkdir: /opt/").append(std::to_string(i)).append("\n");
  }
  build(manifest);
  EXPECT_EQ(out_of("most", "ls /opt | wc -l"), "48\n");
  EXPECT_THAT([&] { build(manifest + "  - mkdir: /opt/more\n"); }, FailsWith(E2BIG));
}

TEST_F(TemplateBuild, UserAddedByAStepIsKnown) {
  build(
      "name: adduser\nuser: user\nsteps:\n"
      "  - run: sed -i 's,/home/user:,/opt/home:,' /etc/passwd; mkdir /opt/home\n");
  EXPECT_EQ(out_of("adduser", "echo $HOME; pwd"), "/opt/home\n/opt/home\n");
}

TEST_F(TemplateBuild, TemplateInUseIsNotRemoved) {
  build("name: used\nsteps: [run: echo x >/opt/x]\n");
  {
    const Box box(SandboxOptions{.template_name = "used"});
    EXPECT_THAT([&] { templates_.remove("used"); }, FailsWith(EBUSY));
    build("name: used\nsteps: [run: echo y >/opt/x]\n");
    EXPECT_EQ(box.out("cat /opt/x"), "x\n");
  }
  EXPECT_EQ(out_of("used", "cat /opt/x"), "y\n");
  EXPECT_NO_THROW(templates_.remove("used"));
  EXPECT_THAT([&] { templates_.inspect("used"); }, FailsWith(ENOENT));
}

// Of a step that made / what a sandbox relies on into something else.
TEST_F(TemplateBuild, StepCannotReplaceWhatIsMountedUpon) {
  build(
      "name: hostile\nsteps:\n"
      "  - run: rm -rf /run /tmp /etc; ln -s /opt /run; ln -s /proc /tmp; ln -s /opt /etc; "
      "rm -rf /proc /dev 2>/dev/null; true\n");
  EXPECT_EQ(out_of("hostile", "test -r /proc/self/status && test -c /dev/null && echo fine"),
            "fine\n");
}

TEST(TemplateImport, ImageConfigurationIsWhatTheSandboxStartsWith) {
  test::require_user_namespaces();
  const TempDir files;
  files.write("root/etc/passwd", "app:x:1234:1234::/srv/app:/bin/sh\n");
  files.write("root/srv/app/f", "x");
  const Templates templates;
  const TemplateInfo info = templates.import("dir:" + files.path("root"), "imported");
  EXPECT_EQ(info.layers.size(), 1U);
  const Box box(SandboxOptions{.template_name = "imported", .user = "app"});
  EXPECT_EQ(box.files().read("/srv/app/f"), "x");
  EXPECT_FALSE(templates.list().empty());
  EXPECT_TRUE(templates.verify("imported").empty());
}

TEST(TemplateImport, HostIsNotImportedAndNamesAreChecked) {
  const Templates templates;
  EXPECT_THAT([&] { templates.import("host", "x"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { templates.import("dir:/", "a/b"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { templates.inspect("nothing"); }, FailsWith(ENOENT));
}

}  // namespace
}  // namespace sandbox
