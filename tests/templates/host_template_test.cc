#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string>

#include "sandbox/error.h"
#include "templates/template_source.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::FailsWith;
using test::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

TempDir written_host_skeleton(NameService names = NameService::None) {
  TempDir dir;
  const UniqueFd fd{
      check(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", dir.path())};
  host_template(names).make_skeleton().write(fd.get());
  return dir;
}

TEST(HostTemplate, HasNoSecretOfTheHost) {
  const TempDir dir = written_host_skeleton();
  for (const char* path :
       {"etc/shadow", "etc/gshadow", "etc/ssl/private", "etc/ssh", "etc/sudoers", "etc/sudoers.d",
        "etc/fstab", "etc/machine-id", "etc/crypttab", "etc/NetworkManager", "etc/environment",
        "etc/krb5.keytab", "etc/subuid", "etc/cron.d", "etc/systemd"}) {
    EXPECT_FALSE(dir.exists(path)) << path;
  }
}

TEST(HostTemplate, EtcHoldsTheTableAndOurFilesAndNothingElse) {
  const std::set<std::string> known = {
      "alternatives", "bash.bashrc", "bash_completion.d", "ca-certificates", "fonts", "inputrc",
      "ImageMagick-6", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "java-25-openjdk",
      "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "maven", "mime.types",
      "perl", "pki", "profile.d", "protocols", "python3", "python3.11", "python3.12", "python3.13",
      "services", "ssl", "terminfo", "timezone",
      // Generated.
      "group", "hostname", "hosts", "nsswitch.conf", "passwd", "profile", "resolv.conf"};
  const TempDir dir = written_host_skeleton();
  for (const auto& entry : fs::directory_iterator(dir.path("etc"))) {
    EXPECT_TRUE(known.contains(entry.path().filename())) << entry.path().filename();
  }
}

TEST(HostTemplate, UsersOfTheHostAreNotNamed) {
  const TempDir dir = written_host_skeleton();
  EXPECT_EQ(dir.read("etc/passwd"),
            "root:x:0:0::/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n");
  EXPECT_EQ(dir.read("etc/group"), "root:x:0:\nuser:x:1000:\n");
}

TEST(HostTemplate, NothingInItIsClosedToEverybodyOnTheHost) {
  const TempDir dir = written_host_skeleton();
  for (const auto& entry : fs::recursive_directory_iterator(dir.path("etc"))) {
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    const fs::path source = "/" / entry.path().lexically_relative(dir.path());
    struct stat status {};
    if (::stat(source.c_str(), &status) != 0) continue;  // Generated.
    EXPECT_NE(status.st_mode & S_IROTH, 0U) << source;
  }
}

TEST(HostTemplate, ResolverOfTheHostIsThereOnlyWithItsNetwork) {
  EXPECT_EQ(written_host_skeleton().read("etc/resolv.conf"), "# This sandbox has no network.\n");
  const std::string with_network = written_host_skeleton(NameService::Host).read("etc/resolv.conf");
  EXPECT_THAT(with_network, Not(HasSubstr("no network")));
}

TEST(HostTemplate, FingerprintIsThatOfTheMachineAndTheNetwork) {
  EXPECT_EQ(host_template(NameService::None).fingerprint,
            host_template(NameService::None).fingerprint);
  EXPECT_NE(host_template(NameService::None).fingerprint,
            host_template(NameService::Host).fingerprint);
}

TEST(HostTemplate, ProgramsAreReachedWhetherUsrIsMergedOrNot) {
  const TempDir dir = written_host_skeleton();
  const TemplateSource source = host_template(NameService::None);
  ASSERT_FALSE(source.read_only_trees.empty());
  EXPECT_EQ(source.read_only_trees.front().target, "usr");
  for (const char* name : {"bin", "lib"}) {
    EXPECT_EQ(fs::is_symlink(fs::path("/") / name), fs::is_symlink(dir.path(name))) << name;
  }
}

TEST(FindTemplate, UnknownNameIsEnoentAndTheHintKnowsTheOthers) {
  try {
    find_template("alpine", NameService::None, TemplateStore("/none"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_EQ(error.subject(), "alpine");
    EXPECT_THAT(error.hint(), HasSubstr("`host`"));
    EXPECT_THAT(error.hint(), HasSubstr("`dir:PATH`"));
  }
}

TEST(FindTemplate, KnowsBothForms) {
  const TempDir dir;
  EXPECT_TRUE(find_template("host", NameService::None, TemplateStore("/none")).lowerdirs.empty());
  EXPECT_EQ(find_template("dir:" + dir.path(), NameService::None, TemplateStore("/none"))
                .lowerdirs.at(0)
                .path,
            dir.path());
}

TEST(FindTemplate, EmptyNameIsEnoent) {
  EXPECT_THAT([] { find_template("", NameService::None, TemplateStore("/none")); },
              FailsWith(ENOENT));
  EXPECT_THAT([] { find_template("dir:", NameService::None, TemplateStore("/none")); },
              FailsWith(ENOENT));
}

}  // namespace
}  // namespace sandbox
