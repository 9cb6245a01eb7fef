#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
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

constexpr const char* kCanary = "canary:x:4242:4242::/canary:/bin/sh\n";

TemplateSource template_of(const TempDir& dir) {
  return directory_template(dir.path(), NameService::None);
}

TEST(DirectoryTemplate, AccountsAreItsOwn) {
  const TempDir dir = TempDir::with({{"etc/passwd", kCanary}, {"etc/group", "g:x:9:canary\n"}});
  const TemplateSource source = template_of(dir);
  EXPECT_EQ(source.accounts.find("canary")->uid, 4242U);
  EXPECT_THAT(source.accounts.supplementary_groups("canary"), ::testing::ElementsAre(9U));
}

TEST(DirectoryTemplate, WithoutAccountsHasUserAndRoot) {
  const TempDir dir;
  EXPECT_EQ(template_of(dir).accounts.all().size(), 2U);
}

TEST(DirectoryTemplate, SymlinkOutDoesNotReachTheHost) {
  const TempDir host = TempDir::with({{"passwd", kCanary}});
  for (const std::string& target : {host.path("passwd"), "../../.." + host.path("passwd")}) {
    const TempDir dir = TempDir::with({{"etc/", ""}});
    fs::create_symlink(target, dir.path("etc/passwd"));
    EXPECT_FALSE(template_of(dir).accounts.find("canary").has_value()) << target;
  }
}

TEST(DirectoryTemplate, EtcThatIsASymlinkOutDoesNotReachTheHost) {
  const TempDir host = TempDir::with({{"etc/passwd", kCanary}});
  const TempDir dir;
  fs::create_symlink(host.path("etc"), dir.path("etc"));
  EXPECT_FALSE(template_of(dir).accounts.find("canary").has_value());
}

TEST(DirectoryTemplate, AbsoluteSymlinkLeadsInside) {
  const TempDir dir = TempDir::with({{"etc/", ""}, {"lib/passwd", kCanary}});
  fs::create_symlink("/lib/passwd", dir.path("etc/passwd"));
  EXPECT_TRUE(template_of(dir).accounts.find("canary").has_value());
}

TEST(DirectoryTemplate, FifoIsRefusedAndDoesNotHang) {
  const TempDir dir = TempDir::with({{"etc/", ""}});
  ASSERT_EQ(::mkfifo(dir.path("etc/passwd").c_str(), 0644), 0);
  EXPECT_THAT([&] { template_of(dir); }, FailsWith(EINVAL, HasSubstr("etc/passwd")));
}

TEST(DirectoryTemplate, DirectoryInPlaceOfAFileIsRefused) {
  const TempDir dir = TempDir::with({{"etc/group/", ""}});
  EXPECT_THAT([&] { template_of(dir); }, FailsWith(EINVAL, HasSubstr("etc/group")));
}

TEST(DirectoryTemplate, HundredMegabytesOfAccountsAreRefused) {
  const TempDir dir = TempDir::with({{"etc/passwd", ""}});
  fs::resize_file(dir.path("etc/passwd"), 100 << 20);
  EXPECT_THAT([&] { template_of(dir); }, FailsWith(EFBIG));
}

TEST(DirectoryTemplate, MissingDirectoryIsEnoentAndNamed) {
  EXPECT_THAT([] { directory_template("/no/such/root", NameService::None); },
              FailsWith(ENOENT, HasSubstr("/no/such/root")));
}

TEST(DirectoryTemplate, FileIsEnotdir) {
  const TempDir dir = TempDir::with({{"file", ""}});
  EXPECT_THAT([&] { directory_template(dir.path("file"), NameService::None); }, FailsWith(ENOTDIR));
}

TEST(DirectoryTemplate, OtherAccountsAreAnotherFingerprint) {
  const TempDir first;
  const TempDir second = TempDir::with({{"etc/passwd", kCanary}});
  EXPECT_NE(template_of(first).fingerprint, template_of(second).fingerprint);
}

TEST(DirectoryTemplate, IsNotWrittenTo) {
  const TempDir dir = TempDir::with({{"etc/passwd", kCanary}});
  template_of(dir).make_skeleton();
  EXPECT_EQ(dir.read("etc/passwd"), kCanary);
  EXPECT_FALSE(dir.exists("dev"));
}

}  // namespace
}  // namespace sandbox
