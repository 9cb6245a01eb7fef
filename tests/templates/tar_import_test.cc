// Archives as the sources of templates: what arrives, and what a hostile one cannot do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "templates/layer_entry.h"
#include "templates/tar_layer.h"
#include "tests/support/matchers.h"
#include "tests/templates/store_fixture.h"
#include "tests/templates/tar_builder.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::FailsWith;
using test::StoreFixture;
using test::TarBuilder;
using test::TempDir;
using ::testing::HasSubstr;

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path << ": " << std::strerror(errno);
  return status;
}

std::string content_of(const std::string& path) {
  const fs::path file(path);
  std::string text(fs::file_size(file), '\0');
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::read(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return text;
}

// The names below a tree.
std::vector<std::string> names_in(const std::string& tree) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(tree)) {
    names.push_back(entry.path().lexically_relative(tree));
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(TarImport, KeepsContentModeLinksAndTimes) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder()
                                                .directory("etc", {.mode = 0750})
                                                .file("etc/name", "content", {.mode = 0640})
                                                .symlink("etc/link", "name")
                                                .hardlink("etc/other", "etc/name")
                                                .build());
  EXPECT_EQ(content_of(tree + "/etc/name"), "content");
  EXPECT_EQ(status_of(tree + "/etc").st_mode, S_IFDIR | 0750U);
  EXPECT_EQ(status_of(tree + "/etc").st_mtime, 1'000'000'000);
  EXPECT_EQ(status_of(tree + "/etc/name").st_mode, S_IFREG | 0640U);
  EXPECT_EQ(status_of(tree + "/etc/name").st_mtime, 1'000'000'000);
  EXPECT_EQ(status_of(tree + "/etc/link").st_mtime, 1'000'000'000);
  EXPECT_EQ(fs::read_symlink(tree + "/etc/link"), "name");
  EXPECT_EQ(status_of(tree + "/etc/other").st_ino, status_of(tree + "/etc/name").st_ino);
}

TEST(TarImport, TakesEveryCompressionThatImagesHave) {
  std::set<std::string> trees;
  for (const char* const filter : {"none", "gzip", "bzip2", "xz", "zstd"}) {
    const StoreFixture store;
    SCOPED_TRACE(filter);
    const std::string tree = store.import_tar(TarBuilder().file("a", "b").build(filter));
    EXPECT_EQ(content_of(tree + "/a"), "b") << filter;
    trees.insert(fs::path(tree).parent_path().filename());
  }
  EXPECT_EQ(trees.size(), 1U) << "the same content is the same layer";
}

// lrzip, lzop and grzip would be programs of the host, run because an archive wants it.
TEST(TarImport, RunsNoProgramForAnArchive) {
  const StoreFixture store;
  const TempDir bin = TempDir::with({{"lzop", "#!/bin/sh\necho ran >\"$0.ran\"\n"}});
  ::chmod(bin.path("lzop").c_str(), 0755);
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", bin.path().c_str(), 1);
  const std::string lzop("\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40", 16);
  EXPECT_THAT([&] { store.import_tar(lzop + std::string(600, 'x')); }, FailsWith(EINVAL));
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_FALSE(bin.exists("lzop.ran"));
}

TEST(TarImport, SetIdBitsAreRecordedAndNotStored) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder()
                                                .file("su", "x", {.mode = 04755, .uid = 7})
                                                .directory("dir", {.mode = 02775})
                                                .build());
  EXPECT_EQ(status_of(tree + "/su").st_mode, S_IFREG | 0755U);
  EXPECT_EQ(status_of(tree + "/dir").st_mode, S_IFDIR | 0775U);
  const std::string listing = content_of(fs::path(tree).parent_path() / "listing");
  EXPECT_THAT(listing, HasSubstr("f 4755 7 0 "));
  EXPECT_THAT(listing, HasSubstr("d 2775 0 0 "));
}

TEST(TarImport, FilesBelongToTheCaller) {
  const StoreFixture store;
  const std::string tree =
      store.import_tar(TarBuilder().file("f", "x", {.uid = 4242, .gid = 4242}).build());
  EXPECT_EQ(status_of(tree + "/f").st_uid, ::geteuid());
}

TEST(TarImport, WhatItsOwnerMayNotReadIsMadeReadable) {
  const StoreFixture store;
  const std::string tree = store.import_tar(
      TarBuilder().directory("d", {.mode = 0}).file("d/f", "x", {.mode = 0}).build());
  EXPECT_EQ(status_of(tree + "/d").st_mode, S_IFDIR | 0700U);
  EXPECT_EQ(status_of(tree + "/d/f").st_mode, S_IFREG | 0400U);
}

TEST(TarImport, DevicesFifosAndTheirKindAreLeftOut) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder()
                                                .device("null", ::makedev(1, 3))
                                                .device("whiteout", ::makedev(0, 0))
                                                .fifo("pipe")
                                                .file("kept", "x")
                                                .build());
  EXPECT_THAT(names_in(tree), ::testing::ElementsAre("kept"));
}

TEST(TarImport, OnlyHarmlessXattrsAreKept) {
  const StoreFixture store;
  const std::string tree =
      store.import_tar(TarBuilder()
                           .file("f", "x",
                                 {.xattrs = {{"user.note", "kept"},
                                             {"user.overlay.opaque", "y"},
                                             {"security.capability", std::string(20, '\1')},
                                             {"trusted.overlay.opaque", "y"}}})
                           .build());
  char names[256];
  const ssize_t size = ::listxattr((tree + "/f").c_str(), names, sizeof names);
  EXPECT_EQ(std::string(names, static_cast<size_t>(std::max<ssize_t>(size, 0))),
            std::string("user.note\0", 10));
}

// The tree of the layer and the directory around it, of which nothing may change.
struct Canary {
  StoreFixture store;
  Canary() { store.file("outside/canary", "untouched"); }
  ~Canary() {
    EXPECT_EQ(store.files().read("outside/canary"), "untouched");
    EXPECT_EQ(std::distance(fs::directory_iterator(store.files().path("outside")), {}), 1);
  }
  std::string outside() const { return store.files().path("outside"); }
};

TEST(TarImport, AbsoluteNamesAndDotDotEndInTheTree) {
  const Canary canary;
  const std::string tree =
      canary.store.import_tar(TarBuilder()
                                  .file(canary.outside() + "/canary", "written")
                                  .file("../../../../outside/canary", "written")
                                  .file("/../up", "written")
                                  .build());
  EXPECT_EQ(content_of(tree + canary.outside() + "/canary"), "written");
  EXPECT_EQ(content_of(tree + "/outside/canary"), "written");
  EXPECT_EQ(content_of(tree + "/up"), "written");
}

TEST(TarImport, WritingThroughASymlinkOutEndsInTheTree) {
  const Canary canary;
  const std::string tree = canary.store.import_tar(TarBuilder()
                                                       .symlink("link", canary.outside())
                                                       .symlink("up", "../../../../outside")
                                                       .file("link/canary", "written")
                                                       .file("up/canary", "written")
                                                       .build());
  // What leads nowhere inside becomes a directory.
  EXPECT_EQ(content_of(tree + "/link/canary"), "written");
  EXPECT_EQ(content_of(tree + "/up/canary"), "written");
}

TEST(TarImport, SymlinkToADirectoryOfTheArchiveLeadsThere) {
  const Canary canary;
  const std::string tree = canary.store.import_tar(TarBuilder()
                                                       .directory("usr/bin")
                                                       .symlink("bin", "/usr/bin")
                                                       .file("bin/tool", "written")
                                                       .build());
  EXPECT_EQ(content_of(tree + "/usr/bin/tool"), "written");
  EXPECT_EQ(fs::read_symlink(tree + "/bin"), "/usr/bin");
}

// The last component is replaced, not followed.
TEST(TarImport, FileInPlaceOfASymlinkReplacesIt) {
  const Canary canary;
  const std::string tree = canary.store.import_tar(
      TarBuilder().symlink("f", canary.outside() + "/canary").file("f", "mine").build());
  EXPECT_TRUE(S_ISREG(status_of(tree + "/f").st_mode));
  EXPECT_EQ(content_of(tree + "/f"), "mine");
}

TEST(TarImport, HardLinkToTheHostIsRefused) {
  const Canary canary;
  EXPECT_THAT(
      [&] {
        canary.store.import_tar(
            TarBuilder().hardlink("f", canary.outside() + "/canary").file("f", "written").build());
      },
      FailsWith(ENOENT));
}

TEST(TarImport, HardLinkThroughASymlinkStaysInside) {
  const Canary canary;
  EXPECT_THAT(
      [&] {
        canary.store.import_tar(
            TarBuilder().symlink("link", canary.outside()).hardlink("f", "link/canary").build());
      },
      FailsWith(ENOENT));
}

TEST(TarImport, LongSymlinkLoopIsRefused) {
  const StoreFixture store;
  EXPECT_THAT(
      [&] {
        store.import_tar(TarBuilder().symlink("a", "b").symlink("b", "a").file("a/f", "").build());
      },
      FailsWith(ELOOP));
}

TEST(TarImport, CutArchiveIsAnErrorAndNoTemplate) {
  const StoreFixture store;
  const std::string whole = TarBuilder().file("f", std::string(5000, 'x')).build();
  EXPECT_THAT([&] { store.import_tar(whole.substr(0, 3000)); }, FailsWith(EINVAL));
  EXPECT_FALSE(store.open().templates().find("t").has_value());
  EXPECT_TRUE(fs::is_empty(store.directory() + "/drafts"));
}

TEST(TarImport, NoArchiveIsAnErrorThatNamesTheFile) {
  const StoreFixture store;
  EXPECT_THAT([&] { store.import_tar("this is no archive\n"); },
              FailsWith(EINVAL, HasSubstr("archive.tar")));
}

TEST(TarImport, EntriesAreLimited) {
  const StoreFixture store;
  TarBuilder tar;
  for (int i = 0; i < 100; ++i) tar.file(std::to_string(i), "");
  EXPECT_NO_THROW(store.import_tar(tar.build(), {.entries = 100}));
  EXPECT_THAT([&] { store.import_tar(tar.build(), {.entries = 99}); }, FailsWith(E2BIG));
}

TEST(TarImport, DecompressionBombStopsAtTheLimitOfBytes) {
  const StoreFixture store;
  const std::string bomb = TarBuilder().file("zeros", std::string(64 << 20, '\0')).build("gzip");
  EXPECT_LT(bomb.size(), 1U << 20);
  EXPECT_THAT([&] { store.import_tar(bomb, {.bytes = 1 << 20}); },
              FailsWith(EFBIG, HasSubstr("zeros")));
  EXPECT_NO_THROW(store.import_tar(bomb, {.bytes = 64 << 20}));
}

TEST(TarImport, HolesCountAsBytes) {
  const StoreFixture store;
  const std::string sparse = TarBuilder().sparse("hole", 16 << 20).build();
  EXPECT_LT(sparse.size(), 1U << 20);
  EXPECT_THAT([&] { store.import_tar(sparse, {.bytes = 1 << 20}); }, FailsWith(EFBIG));
  const std::string tree = store.import_tar(sparse);
  EXPECT_EQ(status_of(tree + "/hole").st_size, 16 << 20);
}

TEST(TarImport, DepthIsLimited) {
  const StoreFixture store;
  std::string deep;
  for (int i = 0; i < 300; ++i) deep.append("d/");
  EXPECT_THAT([&] { store.import_tar(TarBuilder().file(deep + "f", "").build()); },
              FailsWith(ENAMETOOLONG));
}

// A header by hand: name, mode, size, checksum, type.
std::string raw_header(const std::string& name, const std::string& size_field, char type) {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(100, 7, "0000644");
  block.replace(124, size_field.size(), size_field);
  block[156] = type;
  block.replace(257, 8, std::string("ustar\00000", 8));
  unsigned sum = 8 * ' ';
  for (size_t i = 0; i < block.size(); ++i) {
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(block[i]);
  }
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  block.replace(148, 7, std::string(text, 7));
  block[155] = ' ';
  return block;
}

// libarchive would read it into memory.
TEST(TarImport, HugePaxHeaderIsRefused) {
  const StoreFixture store;
  const std::string archive =
      raw_header("x", "40000000000", 'x').append(1 << 20, 'a').append(1024, '\0');
  EXPECT_THAT([&] { store.import_tar(archive); }, FailsWith(EINVAL));
}

// The positive control: the same header by hand, honest.
TEST(TarImport, HeaderByHandIsAnArchive) {
  const StoreFixture store;
  const std::string tree =
      store.import_tar(raw_header("f", "00000000003", '0').append("abc").append(509 + 1024, '\0'));
  EXPECT_EQ(content_of(tree + "/f"), "abc");
}

TEST(TarImport, WhiteoutNamesAreOrdinaryInAnArchive) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder().file(".wh.f", "x").build());
  EXPECT_THAT(names_in(tree), ::testing::ElementsAre(".wh.f"));
}

TEST(TarImport, NamesAreBytes) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder().file("caf\xc3\xa9", "x").build());
  EXPECT_THAT(names_in(tree), ::testing::ElementsAre("caf\xc3\xa9"));
}

}  // namespace
}  // namespace sandbox
