// Trees of the host as templates, the wicked ones too.
#include "templates/directory_import.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "sandbox/error.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/templates/store_fixture.h"
#include "tests/templates/tree_difference.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::Content;
using test::content_of;
using test::difference;
using test::FailsWith;
using test::StoreFixture;

class DirectoryImport : public ::testing::Test {
 protected:
  std::string root(const std::string& name = {}) const {
    return store_.files().path("root/" + name);
  }
  std::string import(const ImportLimits& limits = {}) const {
    return store_.import("dir:" + root(), limits);
  }
  void set_xattr(const std::string& name, const char* xattr) const {
    check(::setxattr(root(name).c_str(), xattr, "y", 1, 0), "setxattr", name);
  }

  const StoreFixture store_;
};

TEST_F(DirectoryImport, IsTheSameTree) {
  store_.file("root/d/f", "text");
  store_.file("root/\xff \n", "odd");
  fs::create_hard_link(root("d/f"), root("hard"));
  fs::create_symlink("d/f", root("link"));
  set_xattr("d/f", "user.a");
  ::chmod(root("d").c_str(), 01711);
  const timespec times[] = {{1'000'000'000, 5}, {1'000'000'000, 5}};
  ::utimensat(AT_FDCWD, root("d/f").c_str(), times, 0);
  const std::string tree = import();
  EXPECT_EQ(difference(tree, root()), "");
  ::chmod(root("d").c_str(), 0711);
  EXPECT_NE(difference(tree, root()), "");
}

TEST_F(DirectoryImport, FifosWhiteoutsAndWhatOverlayReadsAreLeftOut) {
  store_.file("root/d/f", "text");
  ASSERT_EQ(::mkfifo(root("pipe").c_str(), 0600), 0);
  ASSERT_EQ(::mknod(root("whiteout").c_str(), S_IFCHR, ::makedev(0, 0)), 0);
  set_xattr("d", "user.overlay.opaque");
  set_xattr("d/f", "user.overlay.redirect");
  set_xattr("d/f", "user.overlay.metacopy");
  set_xattr("d/f", "user.kept");
  const std::string tree = import();
  EXPECT_EQ(content_of(tree), (Content{{"d", "/"}, {"d/f", "text"}}));
  const auto has = [&](const char* name, const char* xattr) {
    return ::getxattr((tree + name).c_str(), xattr, nullptr, 0) >= 0;
  };
  EXPECT_TRUE(has("/d/f", "user.kept"));
  EXPECT_FALSE(has("/d", "user.overlay.opaque"));
  EXPECT_FALSE(has("/d/f", "user.overlay.redirect"));
  EXPECT_FALSE(has("/d/f", "user.overlay.metacopy"));
}

TEST_F(DirectoryImport, SymlinkOutIsCopiedAndNotFollowed) {
  store_.file("secret/key", "secret");
  store_.file("root/f", "");
  fs::create_directory_symlink(store_.files().path("secret"), root("out"));
  EXPECT_EQ(content_of(import()),
            (Content{{"f", ""}, {"out", "-> " + store_.files().path("secret")}}));
}

TEST_F(DirectoryImport, FileThatMayNotBeReadIsNamed) {
  test::require_unprivileged();
  store_.file("root/d/closed", "");
  EXPECT_NO_THROW(import());
  ::chmod(root("d/closed").c_str(), 0);
  EXPECT_THAT([&] { import(); }, FailsWith(EACCES, ::testing::HasSubstr("d/closed")));
}

TEST_F(DirectoryImport, LimitsHold) {
  for (int i = 0; i < 20; ++i) store_.file("root/" + std::to_string(i), "");
  store_.file("root/hole", "");
  fs::resize_file(root("hole"), 1 << 20);
  EXPECT_NO_THROW(import({.entries = 22, .bytes = 1 << 20}));
  EXPECT_THAT([&] { import({.entries = 21}); }, FailsWith(E2BIG));
  EXPECT_THAT([&] { import({.bytes = (1 << 20) - 1}); }, FailsWith(EFBIG));
}

}  // namespace
}  // namespace sandbox
