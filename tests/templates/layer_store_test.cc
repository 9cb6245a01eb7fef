#include "templates/layer_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "runtime/base/kernel_file.h"
#include "sandbox/error.h"
#include "templates/template_source.h"
#include "tests/support/matchers.h"
#include "tests/support/skips.h"
#include "tests/templates/store_fixture.h"
#include "tests/templates/tar_builder.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using test::FailsWith;
using test::StoreFixture;
using test::TarBuilder;

size_t entries_in(const std::string& directory) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(directory), {}));
}

std::string difference_in(const StoreFixture& fixture) {
  const TemplateStore store(fixture.directory());
  const std::string digest = store.find("t")->record.base_layers.at(0).digest;
  const int tree = ::open(store.tree_of(digest).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const UniqueFd listing(::open(store.listing_of(digest).c_str(), O_RDONLY | O_CLOEXEC));
  return find_difference(UniqueFd(tree), read_to_end(listing.get(), "listing", 1 << 20));
}

TEST(LayerStore, SameContentIsOneLayer) {
  const StoreFixture store;
  const std::string tar = TarBuilder().file("f", "x").build();
  EXPECT_EQ(store.import_tar(tar), store.import_tar(tar));
  EXPECT_EQ(entries_in(store.directory() + "/layers"), 1U);
  EXPECT_EQ(entries_in(store.directory() + "/drafts"), 0U);
}

TEST(LayerStore, EveryAspectOfContentIsAnotherLayer) {
  const StoreFixture store;
  std::set<std::string> trees;
  const auto add = [&](const TarBuilder& tar) { trees.insert(store.import_tar(tar.build())); };
  add(TarBuilder().file("f", "x"));
  add(TarBuilder().file("f", "y"));
  add(TarBuilder().file("g", "x"));
  add(TarBuilder().file("f", "x", {.mode = 0600}));
  add(TarBuilder().file("f", "x", {.mode = 04644}));
  add(TarBuilder().file("f", "x", {.uid = 1}));
  add(TarBuilder().file("f", "x", {.modified = 1}));
  add(TarBuilder().file("f", "x", {.xattrs = {{"user.a", "b"}}}));
  add(TarBuilder().file("f", "x").file("g", "x"));
  add(TarBuilder().file("f", "x").hardlink("g", "f"));
  add(TarBuilder().file("f", "x").symlink("g", "f"));
  add(TarBuilder().file("f", "x").directory("g"));
  EXPECT_EQ(trees.size(), 12U);
}

TEST(LayerStore, ListingIsReadBackAsWritten) {
  LayerEntry entry;
  entry.path = std::string("a b\\\n\x7f\xff", 7);
  entry.status.mode = 04755;
  entry.status.uid = 1;
  entry.status.gid = 2;
  entry.status.modified = {-3, 4};
  entry.status.xattrs["user.x y"] = std::string("\0\n", 2);
  entry.size = 5;
  const std::string text = format_entry(entry);
  EXPECT_EQ(format_entry(parse_entry(text)), text);
  EXPECT_EQ(parse_entry(text).path, entry.path);
  EXPECT_EQ(parse_entry(text).status.xattrs, entry.status.xattrs);
}

TEST(LayerStore, EveryChangeOfALayerIsFound) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder()
                                                .directory("d")
                                                .file("d/f", "content", {.mode = 04755, .uid = 3})
                                                .symlink("l", "d")
                                                .build());
  EXPECT_EQ(difference_in(store), "");
  const auto changed = [&](const std::function<void()>& change) {
    change();
    return difference_in(store);
  };
  const std::string f = tree + "/d/f";
  const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  const auto restore = [&] {
    ::utimensat(AT_FDCWD, f.c_str(), times, 0);
    ::utimensat(AT_FDCWD, (tree + "/d").c_str(), times, 0);
  };
  EXPECT_NE(changed([&] { ::chmod(f.c_str(), 0700); }), "");
  ::chmod(f.c_str(), 0755);
  EXPECT_EQ(difference_in(store), "");
  EXPECT_NE(changed([&] {
              store.files().write(fs::path(f).lexically_relative(store.files().path()).string(),
                                  "CONTENT");
              restore();
            }),
            "");
  store.files().write(fs::path(f).lexically_relative(store.files().path()).string(), "content");
  restore();
  EXPECT_EQ(difference_in(store), "");
  EXPECT_NE(changed([&] { fs::create_directory(tree + "/z"); }), "");
  fs::remove(tree + "/z");
  EXPECT_NE(changed([&] { fs::remove(tree + "/l"); }), "");
}

TEST(LayerStore, RemovedTemplateTakesItsLayersWithIt) {
  const StoreFixture store;
  const std::string tree = store.import_tar(TarBuilder().file("f", "x").build());
  store.open().remove("t");
  EXPECT_EQ(collect_layers(store.directory()).layers, 1U);
  EXPECT_FALSE(fs::exists(tree));
  EXPECT_THAT([&] { store.open().remove("t"); }, FailsWith(ENOENT));
}

TEST(LayerStore, LayerOfTwoTemplatesStaysForTheOther) {
  const StoreFixture fixture;
  const std::string tree = fixture.import_tar(TarBuilder().file("f", "x").build());
  {
    const LayerStore store = fixture.open();
    TemplateRecord other = import_source("template:t", store);
    other.name = "other";
    store.put(other);
    store.remove("t");
  }
  EXPECT_EQ(collect_layers(fixture.directory()).layers, 0U);
  EXPECT_TRUE(fs::exists(tree));
}

TEST(LayerStore, TemplateInUseIsNotRemoved) {
  const StoreFixture store;
  store.import_tar(TarBuilder().file("f", "x").build());
  {
    const TemplateSource used =
        find_template("t", NameService::None, TemplateStore(store.directory()));
    EXPECT_THAT([&] { store.open().remove("t"); }, FailsWith(EBUSY));
  }
  EXPECT_NO_THROW(store.open().remove("t"));
}

// Who started with the old layers keeps them as long as it takes.
TEST(LayerStore, ReplacedTemplateStaysWhileItIsUsed) {
  const StoreFixture store;
  const std::string old_tree = store.import_tar(TarBuilder().file("f", "old").build());
  {
    const TemplateSource used =
        find_template("t", NameService::None, TemplateStore(store.directory()));
    store.import_tar(TarBuilder().file("f", "new").build());
    EXPECT_EQ(collect_layers(store.directory()).layers, 0U);
    EXPECT_TRUE(fs::exists(old_tree));
  }
  EXPECT_EQ(collect_layers(store.directory()).layers, 1U);
  EXPECT_FALSE(fs::exists(old_tree));
  EXPECT_EQ(entries_in(store.directory() + "/retired"), 0U);
  EXPECT_EQ(difference_in(store), "");
}

TEST(LayerStore, NothingIsCollectedWhileSomebodyWrites) {
  const StoreFixture fixture;
  const std::string tree = fixture.import_tar(TarBuilder().file("f", "x").build());
  fixture.open().remove("t");
  {
    const LayerStore writer = fixture.open();
    const LayerDraft draft = writer.draft();
    EXPECT_EQ(collect_layers(fixture.directory()).layers, 0U);
    EXPECT_TRUE(fs::exists(draft.path()));
  }
  EXPECT_EQ(collect_layers(fixture.directory()).layers, 1U);
}

TEST(LayerStore, TwoWritersOfOneNameLeaveOneWholeTemplate) {
  const StoreFixture fixture;
  const auto import_often = [&](const std::string& path, const std::string& content) {
    const std::string tar = fixture.file(path, TarBuilder().file("f", content).build());
    const std::string source = std::string("tar:").append(tar);
    for (int i = 0; i < 20; ++i) fixture.import(source);
  };
  std::thread one([&] { import_often("one.tar", "one"); });
  std::thread two([&] { import_often("two.tar", "two"); });
  one.join();
  two.join();
  EXPECT_EQ(difference_in(fixture), "");
  collect_layers(fixture.directory());
  EXPECT_EQ(entries_in(fixture.directory() + "/layers"), 1U);
}

TEST(LayerStore, NamesThatArePathsAreNone) {
  for (const char* const name : {"", ".", "..", "a/b", "../x", "-x", "host", "\xc3\xa9", "a b"}) {
    EXPECT_FALSE(is_template_name(name)) << name;
    EXPECT_FALSE(TemplateStore("/").find(name).has_value()) << name;
  }
  for (const char* const name : {"a", "python-3.11", "A_b"}) EXPECT_TRUE(is_template_name(name));
  EXPECT_FALSE(is_template_name(std::string(101, 'a')));
}

TEST(LayerStore, DamagedRecordIsAnErrorThatSaysSo) {
  const StoreFixture store;
  store.import_tar(TarBuilder().file("f", "x").build());
  const std::string whole = store.files().read("store/names/t.json");
  for (const std::string& text :
       {std::string(), std::string("{"), whole.substr(0, whole.size() / 2), std::string("[]"),
        std::string(R"({"version":2})"), std::string(R"({"version":1,"name":"t","name":"t"})")}) {
    store.files().write("store/names/t.json", text);
    EXPECT_THAT([&] { TemplateStore(store.directory()).find("t"); }, FailsWith(EBADMSG)) << text;
    // Without knowing what it names, nothing may go.
    EXPECT_THAT([&] { collect_layers(store.directory()); }, FailsWith(EBADMSG)) << text;
  }
  EXPECT_NO_THROW(store.open().remove("t"));
}

// At whatever moment an import is killed: the template is the old one or the new one, whole, and
// what is left over is collected.
TEST(LayerStore, KilledImportLeavesTheTemplateAndWhatCanBeCollected) {
  const StoreFixture fixture;
  TarBuilder tar;
  for (int i = 0; i < 300; ++i) tar.file(std::to_string(i), std::string(100, 'x'));
  const std::string source = std::string("tar:").append(fixture.file("big.tar", tar.build()));
  fixture.import_tar(TarBuilder().file("f", "old").build());
  std::mt19937 random(4711);
  for (int round = 0; round < 30; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) fixture.import(source);
    }
    // So far does it come at least; how much further is left to the machine.
    const uint64_t steps = random() % 400;
    for (uint64_t seen = 0; seen < steps;) {
      std::error_code changed;
      for (const auto& entry :
           fs::recursive_directory_iterator(fixture.directory() + "/drafts", changed)) {
        seen += entry.path().native().size() > 0 ? 1 : 0;
        if (changed) break;
      }
      if (changed) ++seen;
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_EQ(difference_in(fixture), "") << round;
  }
  collect_layers(fixture.directory());
  EXPECT_EQ(entries_in(fixture.directory() + "/drafts"), 0U);
  EXPECT_EQ(entries_in(fixture.directory() + "/layers"), 1U);
  EXPECT_EQ(entries_in(fixture.directory() + "/retired"), 0U);
  EXPECT_EQ(difference_in(fixture), "");
}

TEST(LayerStore, StoreThatCannotBeWrittenToKeepsItsTemplates) {
  test::require_unprivileged();
  const StoreFixture store;
  store.import_tar(TarBuilder().file("f", "x").build());
  for (const char* const part : {"names", "drafts", "layers"}) {
    ::chmod((store.directory() + '/' + part).c_str(), 0500);
  }
  EXPECT_THAT([&] { store.import_tar(TarBuilder().file("f", "y").build()); }, FailsWith(EACCES));
  EXPECT_EQ(difference_in(store), "");
  for (const char* const part : {"names", "drafts", "layers"}) {
    ::chmod((store.directory() + '/' + part).c_str(), 0700);
  }
}

}  // namespace
}  // namespace sandbox
