#include "templates/skeleton.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "sandbox/error.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::FailsWith;
using test::TempDir;

void write_into(const TempDir& dir, const Skeleton& skeleton) {
  const UniqueFd fd{
      check(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", dir.path())};
  skeleton.write(fd.get());
}

unsigned mode_of(const TempDir& dir, const char* path) {
  return static_cast<unsigned>(fs::symlink_status(dir.path(path)).permissions());
}

TEST(Skeleton, HasWhatEveryRootNeeds) {
  const TempDir dir;
  write_into(dir, Skeleton());
  for (const char* path : {"dev", "etc", "home/user", "proc", "root", "tmp", "usr", "var/tmp"}) {
    EXPECT_TRUE(fs::is_directory(fs::symlink_status(dir.path(path)))) << path;
  }
  EXPECT_EQ(mode_of(dir, "tmp"), 01777U);
  EXPECT_EQ(mode_of(dir, "root"), 0700U);
  EXPECT_EQ(mode_of(dir, "home/user"), 0755U);
}

TEST(Skeleton, WritesWhatWasAdded) {
  Skeleton skeleton;
  skeleton.add_directory("opt", 0711);
  skeleton.add_file("opt/file", std::string("a\0b", 3), 0640);
  skeleton.add_symlink("opt/link", "/anywhere");
  const TempDir dir;
  write_into(dir, skeleton);
  EXPECT_EQ(mode_of(dir, "opt"), 0711U);
  EXPECT_EQ(dir.read("opt/file"), std::string("a\0b", 3));
  EXPECT_EQ(mode_of(dir, "opt/file"), 0640U);
  EXPECT_EQ(fs::read_symlink(dir.path("opt/link")), "/anywhere");
}

TEST(Skeleton, UmaskDoesNotMatter) {
  const TempDir dir;
  const mode_t usual = ::umask(0777);
  write_into(dir, Skeleton());
  ::umask(usual);
  EXPECT_EQ(mode_of(dir, "etc"), 0755U);
  EXPECT_EQ(mode_of(dir, "tmp"), 01777U);
}

TEST(Skeleton, EqualContentHasAnEqualDigest) {
  EXPECT_EQ(Skeleton().digest(), Skeleton().digest());
}

TEST(Skeleton, EveryPartCountsForTheDigest) {
  const auto digest_with = [](const std::string& path, const std::string& content, mode_t mode) {
    Skeleton skeleton;
    skeleton.add_file(path, content, mode);
    return skeleton.digest();
  };
  const uint64_t digest = digest_with("ab", "c", 0644);
  EXPECT_EQ(digest, digest_with("ab", "c", 0644));
  EXPECT_NE(digest, digest_with("a", "bc", 0644));
  EXPECT_NE(digest, digest_with("ab", "d", 0644));
  EXPECT_NE(digest, digest_with("ab", "c", 0600));
  Skeleton link;
  link.add_symlink("ab", "c");
  EXPECT_NE(digest, link.digest());
}

TEST(Skeleton, DoesNotWriteOverWhatIsThere) {
  const TempDir dir = TempDir::with({{"etc/", ""}});
  EXPECT_THAT([&] { write_into(dir, Skeleton()); }, FailsWith(EEXIST));
}

}  // namespace
}  // namespace sandbox
