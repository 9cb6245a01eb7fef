#include "templates/image_export.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "sandbox/error.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/templates/store_fixture.h"
#include "tests/templates/tar_builder.h"
#include "tests/templates/tree_difference.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::Content;
using test::content_of;
using test::difference;
using test::FailsWith;
using test::require_program;
using test::StoreFixture;
using test::TarBuilder;
using test::TempDir;

TemplateRecord record_in(const StoreFixture& store) {
  return TemplateStore(store.directory()).find("t")->record;
}

std::string archive_of(const StoreFixture& store, const TemplateRecord& record) {
  std::string bytes;
  export_image(record, TemplateStore(store.directory()), [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}
std::string archive_of(const StoreFixture& store) { return archive_of(store, record_in(store)); }

// Imports `archive` as it is, in the place of `t`, and gives the tree.
std::string import_archive(const StoreFixture& store, const std::string& archive) {
  return store.import(std::string("oci:").append(store.file("exported.tar", archive)));
}

TarBuilder everything() {
  return TarBuilder()
      .directory("./", {.mode = 0711, .modified = 5})
      .directory("d", {.mode = 01777, .uid = 7, .xattrs = {{"user.d", "x"}}})
      .file("d/set-id", "program", {.mode = 06755, .uid = 3, .gid = 4})
      .file("d/secret", "s", {.mode = 0})
      .file("d/old", "o", {.modified = -5})
      .file("d/xattrs", "x", {.xattrs = {{"user.a", std::string("\0\n\xff", 3)}, {"user.b", ""}}})
      .file(std::string("d/\xff \n\\name"), "n")
      .file("a-" + std::string(240, 'l') + "/" + std::string(200, 'n'), "long")
      .file("empty", "")
      .file("wh.plain", "")
      .hardlink("z", "d/old")
      .symlink("link", "/d/\xc3\xa9 \xff")
      .sparse("holes", 1 << 20);
}

TEST(ImageExport, ImportOfItIsTheSameLayerAndConfiguration) {
  const StoreFixture store;
  const std::string tree = store.import_tar(everything().build());
  TemplateRecord record = record_in(store);
  record.config = {.user = "app",
                   .workdir = "/srv/a b",
                   .env = {{"A", "b=c"}, {"EMPTY", ""}},
                   .entrypoint = {"/bin/sh", "-c"},
                   .cmd = {"echo 'x'"}};
  const std::string archive = archive_of(store, record);
  EXPECT_EQ(import_archive(store, archive), tree);
  EXPECT_EQ(record_in(store).base_layers.size(), 1U);
  const TemplateConfig config = record_in(store).config;
  EXPECT_EQ(config.user, record.config.user);
  EXPECT_EQ(config.workdir, record.config.workdir);
  EXPECT_EQ(config.env, record.config.env);
  EXPECT_EQ(config.entrypoint, record.config.entrypoint);
  EXPECT_EQ(config.cmd, record.config.cmd);
}

TEST(ImageExport, SameTemplateIsTheSameArchiveWhereverItIsStored) {
  const StoreFixture one;
  const StoreFixture other;
  one.import_tar(everything().build());
  other.import_tar(everything().build("gzip"));
  EXPECT_EQ(archive_of(one), archive_of(other));
  other.import_tar(TarBuilder().file("f", "x").build());
  EXPECT_NE(archive_of(one), archive_of(other));
}

// A layer as a step leaves it: whiteouts and opaque directories in overlay's form.
LayerSummary commit_upper(const LayerStore& store) {
  LayerDraft draft = store.draft();
  const std::string tree = draft.tree();
  fs::create_directories(tree + "/gone/deep");
  fs::create_directory(tree + "/replaced");
  const int whiteout = ::mknod((tree + "/gone/deep/f").c_str(), S_IFCHR, ::makedev(0, 0)) +
                       ::mknod((tree + "/file").c_str(), S_IFCHR, ::makedev(0, 0));
  check(whiteout, "mknod", tree);
  check(::setxattr((tree + "/replaced").c_str(), "user.overlay.opaque", "y", 1, 0), "setxattr");
  const UniqueFd file(::open((tree + "/replaced/new").c_str(), O_CREAT | O_WRONLY, 0644));
  check(file.get(), "open", tree);
  return store.commit(std::move(draft), {});
}

TEST(ImageExport, WhiteoutsAndOpaqueDirectoriesOfStepsHide) {
  const StoreFixture fixture;
  fixture.import_tar(TarBuilder()
                         .file("file", "lower")
                         .file("kept", "lower")
                         .file("gone/deep/f", "lower")
                         .file("replaced/old", "lower")
                         .build());
  TemplateRecord record = record_in(fixture);
  EXPECT_EQ(content_of(import_archive(fixture, archive_of(fixture, record))).size(), 7U);
  record.step_layers.push_back(commit_upper(fixture.open()));
  record.step_layers.push_back(record.step_layers.back());  // A step that changed nothing.
  EXPECT_EQ(content_of(import_archive(fixture, archive_of(fixture, record))),
            (Content{{"kept", "lower"},
                     {"gone", "/"},
                     {"gone/deep", "/"},
                     {"replaced", "/"},
                     {"replaced/new", ""}}));
}

TEST(ImageExport, LayerThatWasChangedIsRefused) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder().file("f", "content").build());
  const std::string file = fs::path(tree + "/f").lexically_relative(store.files().path());
  EXPECT_NO_THROW(archive_of(store));
  for (const char* const text : {"CONTENT", "cut", ""}) {
    store.files().write(file, text);
    EXPECT_THAT([&] { archive_of(store); }, FailsWith(EBADMSG)) << text;
  }
  store.files().write(file, "content");
  EXPECT_NO_THROW(archive_of(store));
  store.files().write(
      fs::path(tree).parent_path().lexically_relative(store.files().path()).string() + "/listing",
      "");
  EXPECT_THAT([&] { archive_of(store); }, FailsWith(EBADMSG));
}

// Exported as they are they would hide `f`, and everything.
TEST(ImageExport, NamesThatWouldHideOthersAreRefused) {
  const StoreFixture store;
  for (const char* const name : {".wh.f", "d/.wh.f", "d/.wh..wh..opq", ".wh.d/f"}) {
    store.import_tar(TarBuilder().file(name, "").build());
    EXPECT_THAT([&] { archive_of(store); }, FailsWith(EINVAL)) << name;
  }
  store.import_tar(TarBuilder().file("d.wh.f", "").build());
  EXPECT_NO_THROW(archive_of(store));
}

TEST(ImageExport, TemplateOfTheMachinesOwnProgramsIsRefused) {
  const StoreFixture store;
  store.import_tar(TarBuilder().file("f", "").build());
  TemplateRecord record = record_in(store);
  record.on_host = true;
  EXPECT_THAT([&] { archive_of(store, record); }, FailsWith(EOPNOTSUPP));
}

TEST(ImageExport, EndsAtOnceWhenNothingMoreIsTaken) {
  const StoreFixture store;
  store.import_tar(TarBuilder().sparse("large", 64 << 20).build());
  int pieces = 0;
  const auto full = [&](std::span<const std::byte>) {
    if (++pieces == 3) throw Error(ENOSPC, "write", "archive");
  };
  EXPECT_THAT([&] { export_image(record_in(store), TemplateStore(store.directory()), full); },
              FailsWith(ENOSPC));
  EXPECT_EQ(pieces, 3);
}

// What skopeo(1) makes of it, and what umoci(1) unpacks.
TEST(ImageExport, OtherProgramsReadIt) {
  require_program("umoci");
  require_program("skopeo");
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder()
                                                .directory("d", {.mode = 0751, .modified = 77})
                                                .file("d/f", "text", {.xattrs = {{"user.a", "b"}}})
                                                .hardlink("d/g", "d/f")
                                                .symlink("l", "d/f")
                                                .build());
  store.file("t.tar", archive_of(store));
  store.files().write("read.sh", R"(set -e
    cd "$1"
    skopeo inspect oci-archive:t.tar >inspected
    skopeo --insecure-policy copy -q oci-archive:t.tar:t oci:layout:t
    skopeo --insecure-policy copy -q oci-archive:t.tar docker-archive:saved.tar:app:2
    umoci unpack $2 --image layout:t bundle
  )");
  const std::string command = "sh " + store.files().path("read.sh") + " " + store.files().path() +
                              (::geteuid() == 0 ? " ''" : " --rootless") + " >&2";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_THAT(store.files().read("inspected"), ::testing::HasSubstr("sha256:"));
  EXPECT_EQ(difference(store.files().path("bundle/rootfs"), tree), "");
  EXPECT_EQ(store.import("docker-archive:" + store.files().path("saved.tar")), tree);
}

}  // namespace
}  // namespace sandbox
