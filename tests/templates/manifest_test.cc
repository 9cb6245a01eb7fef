#include "templates/manifest.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <string>

#include "sandbox/error.h"
#include "templates/manifest_schema.h"
#include "tests/support/matchers.h"

namespace sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kEverything = R"(
name: python-app
from: tar:base.tar
user: root
workdir: /srv
env: {A: 1, B: "two words"}
steps:
  - run: |
      make
      make install
  - copy: {from: ./app, to: /srv/app}
  - write: {path: /etc/motd, content: "hello\n", mode: "0600"}
  - remove: /var/cache
  - mkdir: /data
  - symlink: {path: /bin/x, target: ../x}
  - apt: [git, curl]
  - pip: numpy pandas
  - npm: [left-pad]
  - user: user
  - workdir: /home/user
  - env: {C: ~}
start: python3 server.py
ready: {port: 8080, timeout: 2m}
limits: {memory: 512M, pids: 256, cpus: 1.5, disk: 2G}
network: host
profile: strict
ids: range
)";

Manifest parse(const std::string& text) { return parse_manifest(text, "/build/app.yaml"); }

TEST(Manifest, EveryKeyIsRead) {
  const Manifest manifest = parse(kEverything);
  EXPECT_EQ(manifest.name, "python-app");
  EXPECT_EQ(manifest.from, "tar:/build/base.tar");
  EXPECT_EQ(manifest.env.at("B"), "two words");
  ASSERT_EQ(manifest.steps.size(), 12U);
  EXPECT_EQ(std::get<RunStep>(manifest.steps[0].action).command, "make\nmake install\n");
  EXPECT_EQ(std::get<CopyStep>(manifest.steps[1].action).from, "/build/app");
  EXPECT_EQ(std::get<WriteStep>(manifest.steps[2].action).mode, 0600U);
  EXPECT_EQ(std::get<SymlinkStep>(manifest.steps[5].action).target, "../x");
  EXPECT_THAT(std::get<InstallStep>(manifest.steps[7].action).packages,
              ElementsAre("numpy", "pandas"));
  EXPECT_EQ(manifest.ready->port, 8080);
  EXPECT_EQ(manifest.ready->timeout_ms, 120'000U);
  EXPECT_EQ(manifest.limits.memory_bytes, int64_t{512} << 20);
  EXPECT_EQ(manifest.limits.pids, 256);
  EXPECT_EQ(manifest.limits.cpus, 1.5);
  EXPECT_EQ(manifest.ids, Ids::Range);
}

TEST(Manifest, NameAloneIsEnough) {
  const Manifest manifest = parse("name: a");
  EXPECT_EQ(manifest.from, "host");
  EXPECT_TRUE(manifest.steps.empty());
}

TEST(Manifest, ByteOrderMarkAndWindowsLinesAreFine) {
  EXPECT_EQ(parse("\xef\xbb\xbfname: a\r\nuser: root\r\n").user, "root");
}

struct Wrong {
  const char* name;
  std::string text;
  std::string place;
  std::string why;
};

class WrongManifest : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongManifest, IsRefusedWithPlaceAndReason) {
  try {
    parse(GetParam().text);
    FAIL() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), EINVAL);
    EXPECT_THAT(error.subject(), StartsWith("/build/app.yaml:" + GetParam().place));
    EXPECT_THAT(error.hint(), HasSubstr(GetParam().why));
  }
}

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result.append(text);
  return result;
}

INSTANTIATE_TEST_SUITE_P(
    Of, WrongManifest,
    ::testing::Values(
        Wrong{"Empty", "", "1:1", "empty"}, Wrong{"OnlyAComment", "# nothing\n", "1:1", ""},
        Wrong{"UnknownKey", "name: a\nstpes: []\n", "2:1", "did you mean `steps`?"},
        Wrong{"UnknownKeyFarFromAny", "name: a\nsomething: 1\n", "2:1", "known are name from"},
        Wrong{"UnknownStep", "name: a\nsteps:\n  - rum: x\n", "3:5", "did you mean `run`?"},
        Wrong{"UnknownLimit", "name: a\nlimits: {memry: 1G}\n", "2:10", "`memory`"},
        Wrong{"KeyTwice", "name: a\nuser: x\nuser: y\n", "3:1", "twice"},
        Wrong{"KeyTwiceInside", "name: a\nenv: {A: 1, A: 2}\n", "2:13", "twice"},
        Wrong{"NoName", "from: host\n", "1:1", "missing is the key name"},
        Wrong{"NameThatIsAPath", "name: ../x\n", "1:7", "`name` takes"},
        Wrong{"NameOfTheHost", "name: host\n", "1:7", "`name` takes"},
        Wrong{"ListForAText", "name: [a]\n", "1:7", "`name` takes"},
        Wrong{"NothingForAText", "name: a\nuser:\n", "2:", "`user` takes a text"},
        Wrong{"TextForSteps", "name: a\nsteps: run\n", "2:8", "a list of steps"},
        Wrong{"StepOfTwoKeys", "name: a\nsteps:\n  - {run: x, user: y}\n", "3:5", "one key"},
        Wrong{"CopyWithoutTo", "name: a\nsteps: [copy: {from: x}]\n", "2:", "the key to"},
        Wrong{"RelativePath", "name: a\nworkdir: srv\n", "2:10", "an absolute path"},
        Wrong{"Mode", "name: a\nsteps: [write: {path: /a, content: b, mode: 4755}]\n",
              "2:", "permission bits"},
        Wrong{"Size", "name: a\nlimits: {memory: 1X}\n", "2:18", "512M"},
        Wrong{"SizeThatOverflows", "name: a\nlimits: {memory: 99999999999T}\n", "2:18", "512M"},
        Wrong{"CountOfZero", "name: a\nlimits: {pids: 0}\n", "2:16", "above zero"},
        Wrong{"HugeCount", "name: a\nlimits: {pids: 9999999999999999999}\n", "2:16", "above zero"},
        Wrong{"Port", "name: a\nready: {port: 65536}\n", "2:15", "65535"},
        Wrong{"Choice", "name: a\nnetwork: nat\n", "2:10", "none host"},
        Wrong{"TwoChecks", "name: a\nready: {port: 1, file: /x}\n", "2:8", "one of"},
        Wrong{"NoCheck", "name: a\nready: {timeout: 1s}\n", "2:8", "one of"},
        Wrong{"List", "- a\n", "1:1", "a map"}, Wrong{"Tab", "name: a\nenv:\n\tA: 1\n", "3:", ""},
        Wrong{"Nul", std::string("name: a\n\0", 9), "2:1", "control character"},
        Wrong{"Binary",
              "\x7f"
              "ELF\2\1\1",
              "1:1", "control character"},
        Wrong{"NoUtf8", "name: \xff\xfe\n", "1:1", "UTF-8"},
        Wrong{"Utf16", std::string("\xff\xfen\0a\0", 6), "1:", ""},
        Wrong{"SecondDocument", "name: a\n---\nname: b\n", "3:1", "second document"},
        Wrong{"Unclosed", "name: [a\n", "2:", ""},
        Wrong{"Tag", "name: !!binary aGk=\n", "1:", "tags"},
        Wrong{"Anchor", "name: &x a\nuser: *x\n", "1:", "anchors"},
        Wrong{"BillionLaughs", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "1:", "anchors"},
        Wrong{"AliasOfNothing", "name: *x\n", "1:", ""},
        Wrong{"Deep", "name: " + repeated("[", 100) + repeated("]", 100), "1:", "deep"},
        Wrong{"HundredThousandDeep", "name: " + repeated("[", 100'000), "1:", ""},
        Wrong{"Huge", "name: " + std::string(2 << 20, 'a'), "1:1", "1 MiB"}),
    [](const auto& each) { return each.param.name; });

// The document that users read has every key of the table, and the table every key they may use.
TEST(ManifestSchema, DocumentHasEveryKey) {
  const std::string document = describe_manifest();
  for (const ManifestKey& key : manifest_keys()) {
    EXPECT_THAT(document, HasSubstr("| `" + std::string(key.name) + "` | "));
    EXPECT_FALSE(key.help.empty()) << key.name;
  }
}

}  // namespace
}  // namespace sandbox
