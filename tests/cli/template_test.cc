#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/support/skips.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TemplateVerb, ImportsListsVerifiesAndRemoves) {
  const TempDir files;
  files.write("root/etc/name", "x");
  EXPECT_EQ(sandboxctl({"template", "import", "dir:" + files.path("root"), "cli-a"}).exit_code, 0);
  EXPECT_THAT(sandboxctl({"template", "list"}).out, HasSubstr("cli-a"));
  const json info = json::parse(sandboxctl({"template", "inspect", "cli-a"}).out);
  EXPECT_EQ(info["name"], "cli-a");
  EXPECT_EQ(info["layers"][0]["entries"], 3);
  EXPECT_EQ(sandboxctl({"template", "verify", "cli-a"}).exit_code, 0);
  EXPECT_EQ(sandboxctl({"template", "rm", "cli-a"}).exit_code, 0);
  EXPECT_EQ(sandboxctl({"template", "inspect", "cli-a"}).exit_code, 125);
}

TEST(TemplateVerb, VerifyNamesWhatWasChanged) {
  const TempDir files = TempDir::with({{"root/etc/name", "x"}});
  sandboxctl({"template", "import", "dir:" + files.path("root"), "cli-v"});
  const json info = json::parse(sandboxctl({"template", "inspect", "cli-v"}).out);
  const std::string digest = info["layers"][0]["digest"];
  const std::string layer =
      std::string(std::getenv("SANDBOX_HOME")) + "/templates/layers/" + digest;
  std::ofstream(layer + "/tree/etc/name") << "y";
  const Ended file = sandboxctl({"template", "verify", "cli-v"});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_THAT(file.err,
              AllOf(HasSubstr("verifying: cli-v: layer " + digest), HasSubstr("etc/name")));
  std::ofstream(layer + "/listing", std::ios::app) << "more";
  const Ended listing = sandboxctl({"template", "verify", "cli-v"});
  EXPECT_EQ(listing.exit_code, 1);
  EXPECT_THAT(listing.err, HasSubstr("its listing is not the one that it is named after"));
  EXPECT_THAT(sandboxctl({"template", "export", "cli-v", "-"}).err,
              HasSubstr("`template verify` tells more"));
}

TEST(TemplateVerb, ExportsWhatItImportsAgain) {
  const TempDir files = TempDir::with({{"root/etc/name", "x"}});
  sandboxctl({"template", "import", "dir:" + files.path("root"), "cli-c"});
  const Ended end = sandboxctl({"template", "export", "cli-c", files.path("c.tar")});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, ::testing::MatchesRegex("sha256:[0-9a-f]+\n"));
  EXPECT_EQ(sandboxctl({"template", "export", "cli-c", "-"}).out, files.read("c.tar"));
  sandboxctl({"template", "import", "oci:" + files.path("c.tar"), "cli-d"});
  EXPECT_EQ(json::parse(sandboxctl({"template", "inspect", "cli-c"}).out)["layers"],
            json::parse(sandboxctl({"template", "inspect", "cli-d"}).out)["layers"]);
}

TEST(TemplateVerb, FailedExportLeavesTheFileAsItWas) {
  const TempDir files = TempDir::with({{"old.tar", "old"}});
  const Ended end = sandboxctl({"template", "export", "no-such", files.path("old.tar")});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("no-such"));
  EXPECT_EQ(files.read("old.tar"), "old");
  EXPECT_THAT(sandboxctl({"template", "export", "no-such", "/dev/null"}).err,
              HasSubstr("no regular file"));
}

TEST(TemplateVerb, BuildsAndRunsFromAManifest) {
  require_user_namespaces();
  const TempDir files = TempDir::with(
      {{"app.yaml", "name: cli-b\nsteps:\n  - write: {path: /opt/word, content: built}\n"}});
  const Ended first = sandboxctl({"template", "build", files.path("app.yaml")});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("[1/1] write: /opt/word"));
  EXPECT_THAT(sandboxctl({"template", "build", files.path("app.yaml")}).err,
              HasSubstr("(unchanged)"));
  EXPECT_EQ(sandboxctl({"run", "-T", "cli-b", "--", "cat", "/opt/word"}).out, "built");
}

TEST(TemplateVerb, StartIsRunAndItsOutputKept) {
  require_user_namespaces();
  const TempDir files =
      TempDir::with({{"app.yaml",
                      "name: cli-s\nlimits: {open_files: 99}\n"
                      "start: echo up; touch /tmp/up; sleep 60\nready: {file: /tmp/up}\n"}});
  ASSERT_EQ(sandboxctl({"template", "build", files.path("app.yaml")}).exit_code, 0);
  const json info = json::parse(sandboxctl({"template", "inspect", "cli-s"}).out);
  EXPECT_EQ(info["ready"], "file /tmp/up");
  EXPECT_EQ(info["limits"]["open_files"], 99);
  EXPECT_EQ(sandboxctl({"run", "-T", "cli-s", "--", "ls", "/tmp"}).out, "up\n");
  EXPECT_EQ(sandboxctl({"run", "-T", "cli-s", "--no-start", "--", "ls", "/tmp"}).out, "");
  const auto descriptors = [](const std::vector<std::string>& options) {
    std::vector<std::string> words{"run", "-T", "cli-s", "--no-start"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "sh", "-c", "ulimit -n"});
    return sandboxctl(words).out;
  };
  EXPECT_EQ(descriptors({}), "99\n");
  EXPECT_EQ(descriptors({"--no-template-limits"}), "1024\n");
  std::string id = sandboxctl({"create", "-T", "cli-s"}).out;
  id.pop_back();
  EXPECT_EQ(sandboxctl({"logs", id, "start"}).out, "up\n");
  EXPECT_EQ(sandboxctl({"rm", id}).exit_code, 0);
}

TEST(TemplateVerb, ConfigIsASandboxAsItsManifestSays) {
  require_user_namespaces();
  const TempDir files =
      TempDir::with({{"app.yaml",
                      "name: cli-c\nprofile: dev\nworkdir: /opt\nlimits: {open_files: 98}\n"
                      "steps:\n  - run: echo built >/opt/word\n"}});
  const std::vector<std::string> run{"run", "--config", files.path("app.yaml"), "--explain", "--",
                                     "sh",  "-c",       "cat word; ulimit -n"};
  const Ended first = sandboxctl(run);
  EXPECT_EQ(first.out, "built\n98\n");
  EXPECT_THAT(first.err, HasSubstr("[1/1] run: echo built"));
  EXPECT_THAT(first.err, HasSubstr("profile dev"));
  const Ended again = sandboxctl(run);
  EXPECT_EQ(again.out, "built\n98\n");
  EXPECT_THAT(again.err, Not(HasSubstr("[1/1]")));
  std::vector<std::string> strict = run;
  strict.insert(strict.begin() + 1, {"--profile", "strict"});
  EXPECT_THAT(sandboxctl(strict).err, HasSubstr("profile strict"));
  EXPECT_EQ(sandboxctl({"run", "--config", "x", "-T", "y", "--", "true"}).exit_code, 2);
  EXPECT_EQ(sandboxctl({"run", "--config", files.path("none"), "--", "true"}).exit_code, 125);
}

TEST(TemplateVerb, StartThatFailsIsToldInOneLine) {
  require_user_namespaces();
  const TempDir files =
      TempDir::with({{"app.yaml", "name: cli-f\nstart: echo broken; exit 3\nready: {port: 80}\n"}});
  ASSERT_EQ(sandboxctl({"template", "build", files.path("app.yaml")}).exit_code, 0);
  const Ended end = sandboxctl({"run", "-T", "cli-f", "--", "true"});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("exited with 3; it printed: broken"));
}

TEST(TemplateVerb, MistakeInAManifestIsOneLineWithItsPlace) {
  const TempDir files = TempDir::with({{"app.yaml", "name: a\nstpes: []\n"}});
  const Ended end = sandboxctl({"template", "build", files.path("app.yaml")});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
  EXPECT_THAT(end.err, HasSubstr("app.yaml:2:1"));
  EXPECT_THAT(end.err, HasSubstr("did you mean `steps`?"));
}

TEST(TemplateVerb, UnknownActionNamesTheNearest) {
  const Ended end = sandboxctl({"template", "improt", "a", "b"});
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_THAT(end.err, HasSubstr("did you mean import?"));
  EXPECT_EQ(sandboxctl({"template"}).exit_code, 2);
  EXPECT_EQ(sandboxctl({"template", "import", "x"}).exit_code, 2);
}

TEST(TemplateVerb, SchemaHasTheKeys) {
  EXPECT_THAT(sandboxctl({"template", "schema"}).out, HasSubstr("| `steps` |"));
}

}  // namespace
}  // namespace sandbox::test
