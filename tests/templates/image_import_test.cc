// OCI image layouts and `docker save` archives, made by hand and by other programs.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "templates/image_json.h"
#include "templates/sha256.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/templates/store_fixture.h"
#include "tests/templates/tar_builder.h"
#include "tests/templates/tree_difference.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::Content;
using test::content_of;
using test::difference;
using test::FailsWith;
using test::require_program;
using test::StoreFixture;
using test::TarBuilder;
using test::TempDir;
using ::testing::ElementsAre;

// An image layout with one image, of which a test may spoil a part.
class Layout {
 public:
  explicit Layout(const TempDir& dir) : dir_(dir) {
    dir_.write("image/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  }

  Layout& layer(const TarBuilder& tar, const std::string& filter = "gzip") {
    diff_ids_.push_back("sha256:" + sha256_of(tar.build()));
    layers_.push_back(blob(tar.build(filter), "application/vnd.oci.image.layer.v1.tar+" + filter));
    return *this;
  }

  /// Writes the rest; the source to import.
  std::string finish(json config = json::object()) {
    config["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids_}};
    if (!config.contains("architecture")) config["architecture"] = "";
    const json image{{"schemaVersion", 2},
                     {"config", blob(config.dump(), "application/vnd.oci.image.config.v1+json")},
                     {"layers", layers_}};
    json entry = blob(image.dump(), "application/vnd.oci.image.manifest.v1+json");
    entry["annotations"] = {{"org.opencontainers.image.ref.name", "latest"}};
    write_index({entry});
    return "oci:" + dir_.path("image");
  }

  void write_index(const std::vector<json>& entries) const {
    dir_.write("image/index.json", json{{"schemaVersion", 2}, {"manifests", entries}}.dump());
  }

  json blob(const std::string& bytes, const std::string& type) const {
    const std::string digest = sha256_of(bytes);
    dir_.write("image/blobs/sha256/" + digest, bytes);
    return {{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", bytes.size()}};
  }

 private:
  const TempDir& dir_;
  std::vector<json> layers_;
  std::vector<std::string> diff_ids_;
};

TEST(ImageImport, LayersLieOnTopOfEachOther) {
  const StoreFixture store;
  const std::string source = Layout(store.files())
                                 .layer(TarBuilder().file("a", "lower").file("b", "lower"))
                                 .layer(TarBuilder().file("a", "upper"), "zstd")
                                 .finish();
  EXPECT_EQ(content_of(store.import(source)), (Content{{"a", "upper"}, {"b", "lower"}}));
}

TEST(ImageImport, WhiteoutHidesFilesAndTreesOfLowerLayers) {
  const StoreFixture store;
  const std::string source =
      Layout(store.files())
          .layer(TarBuilder().file("gone", "x").file("tree/a/b", "x").file("kept/a", "x"))
          .layer(TarBuilder().file(".wh.gone", "").file(".wh.tree", "").file("kept/.wh.none", ""))
          .finish();
  EXPECT_EQ(content_of(store.import(source)), (Content{{"kept", "/"}, {"kept/a", "x"}}));
}

TEST(ImageImport, OpaqueDirectoryHidesLowerContentWhereverItsMarkStands) {
  for (const bool mark_first : {true, false}) {
    const StoreFixture store;
    TarBuilder upper;
    if (mark_first) upper.file("d/.wh..wh..opq", "");
    upper.directory("d").directory("d/sub").file("d/sub/new", "n").file("d/new", "n");
    if (!mark_first) upper.file("d/.wh..wh..opq", "");
    const std::string source =
        Layout(store.files())
            .layer(TarBuilder().file("d/old", "o").file("d/sub/old", "o").file("e", "o"))
            .layer(upper)
            .finish();
    EXPECT_EQ(content_of(store.import(source)),
              (Content{{"d", "/"}, {"d/new", "n"}, {"d/sub", "/"}, {"d/sub/new", "n"}, {"e", "o"}}))
        << mark_first;
  }
}

TEST(ImageImport, WhiteoutAndNewEntryOfOneLayerReplace) {
  const StoreFixture store;
  const std::string source = Layout(store.files())
                                 .layer(TarBuilder().file("d/old", "o"))
                                 .layer(TarBuilder().file("d/new", "n").file(".wh.d", ""))
                                 .finish();
  EXPECT_EQ(content_of(store.import(source)), (Content{{"d", "/"}, {"d/new", "n"}}));
}

TEST(ImageImport, HardLinkIntoALowerLayerIsOne) {
  const StoreFixture store;
  const std::string source = Layout(store.files())
                                 .layer(TarBuilder().file("a", "x"))
                                 .layer(TarBuilder().hardlink("b", "a"))
                                 .finish();
  const std::string tree = store.import(source);
  EXPECT_EQ(fs::hard_link_count(tree + "/a"), 2U);
}

TEST(ImageImport, WhiteoutOutOfTheTreeHidesNothing) {
  for (const char* const name : {".wh...", "../.wh.canary", "d/../../.wh.canary", ".wh.."}) {
    const StoreFixture store;
    store.file("canary", "untouched");
    const std::string source = Layout(store.files())
                                   .layer(TarBuilder().file("d/a", "x"))
                                   .layer(TarBuilder().file(name, ""))
                                   .finish();
    try {
      store.import(source);
    } catch (const Error& error) {
      EXPECT_EQ(error.code().value(), EINVAL) << name << error.what();
    }
    EXPECT_EQ(store.files().read("canary"), "untouched") << name;
    EXPECT_TRUE(fs::exists(store.directory() + "/names")) << name;
  }
}

TEST(ImageImport, ConfigurationIsThatOfTheImage) {
  const StoreFixture fixture;
  const std::string source = Layout(fixture.files())
                                 .layer(TarBuilder().file("a", ""))
                                 .finish({{"config",
                                           {{"User", "1000:1000"},
                                            {"WorkingDir", "srv"},
                                            {"Env", {"A=b=c", "PATH=/bin"}},
                                            {"Cmd", {"sh"}},
                                            {"Entrypoint", nullptr}}}});
  const TemplateConfig config = import_source(source, fixture.open()).config;
  EXPECT_EQ(config.user, "1000:1000");
  EXPECT_EQ(config.workdir, "/srv");
  EXPECT_THAT(config.env, ElementsAre(std::pair("A", "b=c"), std::pair("PATH", "/bin")));
  EXPECT_THAT(config.cmd, ElementsAre("sh"));
  EXPECT_TRUE(config.entrypoint.empty());
}

TEST(ImageImport, DamagedBlobIsRefused) {
  const StoreFixture store;
  const std::string source = Layout(store.files()).layer(TarBuilder().file("a", "")).finish();
  for (const auto& blob : fs::directory_iterator(store.files().path("image/blobs/sha256"))) {
    const std::string name = blob.path().lexically_relative(store.files().path());
    const std::string whole = store.files().read(name);
    std::string damaged = whole;
    damaged.back() ^= 1;
    store.files().write(name, damaged);
    EXPECT_THAT([&] { store.import(source); }, FailsWith(EBADMSG)) << name;
    store.files().write(name, whole);
  }
  EXPECT_NO_THROW(store.import(source));
}

TEST(ImageImport, DigestThatIsAPathIsRefused) {
  const StoreFixture store;
  Layout layout(store.files());
  const std::string source = layout.layer(TarBuilder().file("a", "")).finish();
  for (const char* const digest :
       {"sha256:../../../../etc/passwd", "sha256:", "md5:00", "../x", "",
        "sha256:0000000000000000000000000000000000000000000000000000000000000/../"}) {
    layout.write_index({{{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                         {"digest", digest},
                         {"size", 1}}});
    EXPECT_THAT([&] { store.import(source); }, FailsWith(EBADMSG)) << digest;
  }
}

// A blob that is a symlink out of the layout is looked for inside.
TEST(ImageImport, BlobThatIsASymlinkOutIsNotRead) {
  const StoreFixture store;
  Layout layout(store.files());
  const std::string source = layout.layer(TarBuilder().file("a", "")).finish();
  const fs::path blobs = store.files().path("image/blobs/sha256");
  for (const auto& blob : fs::directory_iterator(blobs)) {
    const fs::path outside = store.files().path("outside-" + blob.path().filename().string());
    fs::rename(blob.path(), outside);
    fs::create_symlink(outside, blob.path());
  }
  EXPECT_THAT([&] { store.import(source); }, FailsWith(ENOENT));
}

TEST(ImageImport, IndexOfItselfEnds) {
  const StoreFixture store;
  const Layout layout(store.files());
  json entry = layout.blob(R"({"manifests":[]})", "application/vnd.oci.image.index.v1+json");
  for (int depth = 0; depth < 10; ++depth) {
    layout.write_index({entry});
    entry = layout.blob(store.files().read("image/index.json"),
                        "application/vnd.oci.image.index.v1+json");
  }
  layout.write_index({entry});
  EXPECT_THAT([&] { store.import("oci:" + store.files().path("image")); }, FailsWith(EBADMSG));
}

TEST(ImageImport, OtherProcessorIsRefused) {
  const StoreFixture store;
  const std::string source =
      Layout(store.files()).layer(TarBuilder().file("a", "")).finish({{"architecture", "s390x"}});
  EXPECT_THAT([&] { store.import(source); }, FailsWith(ENOEXEC));
}

TEST(ImageImport, UnknownReferenceNamesTheKnown) {
  const StoreFixture store;
  const std::string source = Layout(store.files()).layer(TarBuilder().file("a", "")).finish();
  EXPECT_NO_THROW(store.import(source + ":latest"));
  try {
    store.import(source + ":missing");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("latest"));
  }
}

class SavedImage : public ::testing::Test {
 protected:
  // The old form, with a directory for each layer, of which one is a symlink to another's.
  std::string save(const std::string& diff_id_of_second) {
    const TarBuilder lower = TarBuilder().file("a", "lower").file("b", "lower");
    const TarBuilder upper = TarBuilder().file(".wh.b", "").file("c", "upper");
    const json config{
        {"config", {{"Env", {"A=b"}}}},
        {"rootfs",
         {{"diff_ids", {"sha256:" + sha256_of(lower.build()), "sha256:" + diff_id_of_second}}}}};
    const json manifest{{{"Config", "config.json"},
                         {"RepoTags", {"app:1"}},
                         {"Layers", {"one/layer.tar", "two/layer.tar"}}}};
    return "docker-archive:" +
           store_.file("saved.tar", TarBuilder()
                                        .file("config.json", config.dump())
                                        .file("one/layer.tar", lower.build())
                                        .file("real/layer.tar", upper.build())
                                        .directory("two")
                                        .symlink("two/layer.tar", "../real/layer.tar")
                                        .file("manifest.json", manifest.dump())
                                        .build("gzip"));
  }
  static std::string upper_digest() {
    return sha256_of(TarBuilder().file(".wh.b", "").file("c", "upper").build());
  }
  const StoreFixture store_;
};

TEST_F(SavedImage, IsImported) {
  EXPECT_EQ(content_of(store_.import(save(upper_digest()))),
            (Content{{"a", "lower"}, {"c", "upper"}}));
  EXPECT_NO_THROW(store_.import(save(upper_digest()) + ":app:1"));
}

TEST_F(SavedImage, LayerOfAnotherDigestIsRefused) {
  EXPECT_THAT([&] { store_.import(save(std::string(64, '0'))); }, FailsWith(EBADMSG));
}

// Names in its manifest.json are those of its author: whatever they say, they are looked for
// inside.
TEST(SavedImageDirectory, NamesThatLeadOutAreLookedForInside) {
  const StoreFixture store;
  const std::string layer = TarBuilder().file("a", "x").build();
  const json config{{"rootfs", {{"diff_ids", {"sha256:" + sha256_of(layer)}}}}};
  store.file("config.json", config.dump());
  store.file("layer.tar", layer);
  const auto import = [&](const std::string& directory) {
    const json manifest{
        {{"Config", directory + "config.json"}, {"Layers", {directory + "layer.tar"}}}};
    store.file("saved/manifest.json", manifest.dump());
    return store.import("docker-archive:" + store.files().path("saved"));
  };
  for (const std::string& directory : {std::string("../"), store.files().path() + "/"}) {
    EXPECT_THAT([&] { import(directory); }, FailsWith(ENOENT)) << directory;
  }
  store.file("saved/config.json", config.dump());
  store.file("saved/layer.tar", layer);
  EXPECT_EQ(content_of(import("../")), (Content{{"a", "x"}}));
}

TEST(Source, UnknownFormNamesTheKnown) {
  const StoreFixture store;
  try {
    store.import("ftp://x");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code().value(), EINVAL);
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("docker-archive:PATH"));
  }
}

// PATH with nothing, or with one program, in it.
class HelperPath {
 public:
  HelperPath() : before_(::getenv("PATH")) { ::setenv("PATH", bin_.path().c_str(), 1); }
  ~HelperPath() { ::setenv("PATH", before_.c_str(), 1); }
  HelperPath(const HelperPath&) = delete;
  HelperPath& operator=(const HelperPath&) = delete;
  void program(const std::string& name, const std::string& script) const {
    bin_.write(name, "#!/bin/sh\nPATH=" + before_ + "\n" + script);
    ::chmod(bin_.path(name).c_str(), 0755);
  }

 private:
  TempDir bin_;
  std::string before_;
};

TEST(Source, HelperThatIsMissingIsNamed) {
  const StoreFixture store;
  const HelperPath nothing;
  for (const auto& [source, package] :
       {std::pair("docker://python:3", "skopeo"), std::pair("debian:bookworm", "mmdebstrap")}) {
    try {
      store.import(source);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code().value(), ENOENT);
      EXPECT_THAT(error.hint(), ::testing::HasSubstr(package));
    }
  }
}

TEST(Source, DebianIsWhatMmdebstrapWrites) {
  const StoreFixture store;
  const HelperPath path;
  const std::string tar = store.file("made.tar", TarBuilder().file("etc/debian", "12").build());
  path.program("mmdebstrap", "echo \"$@\" >" + store.files().path("args") + "; cat " + tar);
  EXPECT_EQ(content_of(store.import("debian:bookworm")).at("etc/debian"), "12");
  EXPECT_THAT(store.files().read("args"), ::testing::EndsWith("-- bookworm -\n"));
}

TEST(Source, HelperThatFailsSaysWhyAndLeavesNoTemplate) {
  const StoreFixture store;
  const HelperPath path;
  path.program("mmdebstrap", "echo 'E: no such suite' >&2; exit 25");
  try {
    store.import("debian:nothing");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("no such suite"));
  }
  EXPECT_FALSE(store.open().templates().find("t").has_value());
}

// An image of two layers that umoci(1) makes, and skopeo(1) in the form of `docker save`.
TEST(ImageImport, ImagesOfOtherProgramsAreIdentical) {
  require_program("umoci");
  require_program("skopeo");
  const StoreFixture store;
  store.files().write("make.sh", R"(set -e
    cd "$1"
    umoci init --layout img
    umoci new --image img:v1
    umoci unpack $2 --image img:v1 bundle
    r=bundle/rootfs
    mkdir -p $r/etc $r/opt/tree/deep $r/usr/bin
    echo name >$r/etc/name; ln $r/etc/name $r/etc/hard; ln -s name $r/etc/link
    echo tool >$r/usr/bin/tool; chmod 750 $r/usr/bin/tool; ln -s usr/bin $r/bin
    echo x >$r/opt/tree/deep/x; echo y >$r/opt/tree/y; chmod 711 $r/opt/tree
    python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.a", b"b")' $r/etc/name
    touch -d @1000000000 $r/etc/name $r/opt/tree
    umoci repack --image img:v1 bundle
    rm -rf $r/opt/tree $r/etc/hard; mkdir $r/opt/tree; echo z >$r/opt/tree/z
    touch -d @1100000000 $r/opt/tree $r/opt $r/etc
    umoci repack --image img:v2 bundle
    skopeo --insecure-policy copy -q oci:img:v2 docker-archive:saved.tar:app:2
  )");
  const std::string command = "sh " + store.files().path("make.sh") + " " + store.files().path() +
                              (::geteuid() == 0 ? " ''" : " --rootless") + " >&2";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string made = store.files().path("bundle/rootfs");
  EXPECT_EQ(difference(store.import("oci:" + store.files().path("img") + ":v2"), made), "");
  EXPECT_EQ(difference(store.import("docker-archive:" + store.files().path("saved.tar")), made),
            "");
  // The comparison notices another version.
  EXPECT_NE(difference(store.import("oci:" + store.files().path("img") + ":v1"), made), "");
}

}  // namespace
}  // namespace sandbox
