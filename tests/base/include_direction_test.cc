#include "tests/base/include_direction.h"

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace sandbox::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(IncludeDirection, HoldsInThisSourceTree) {
  EXPECT_THAT(direction_violations(SANDBOX_SOURCE_DIR), IsEmpty());
}

TEST(IncludeDirection, DownwardsIsAllowed) {
  const TempDir tree = TempDir::with({
      {"runtime/include/sandbox/error.h", ""},
      {"isolation/id_map.h", ""},
      {"proc/spawn.cc", "#include \"isolation/id_map.h\"\n#include \"sandbox/error.h\"\n"},
      {"runtime/runtime.cc", "#include \"templates/store.h\"\n#include <vector>\n"},
      {"tests/proc/spawn_test.cc", "#include \"proc/spawn.h\"\n"},
  });
  EXPECT_THAT(direction_violations(tree.path()), IsEmpty());
}

TEST(IncludeDirection, UpwardsIsFound) {
  const TempDir tree = TempDir::with({{"fs/overlay.h", "#pragma once\n#include \"proc/pty.h\"\n"}});
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("fs/overlay.h includes \"proc/pty.h\" against the direction"));
}

TEST(IncludeDirection, BaseIncludesNothingOfOurs) {
  const TempDir tree = TempDir::with({{"runtime/base/a.cc", "  #  include \"fs/overlay.h\"\n"}});
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("runtime/base/a.cc includes \"fs/overlay.h\" against the direction"));
}

TEST(IncludeDirection, CommandLineUsesPublicHeadersOnly) {
  const TempDir tree = TempDir::with({
      {"runtime/sandboxctl/run.cc", "#include \"isolation/id_map.h\"\n"},
      {"runtime/sandboxctl/size.cc", "#include \"runtime/sandboxctl/size.h\"\n"},
  });
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("runtime/sandboxctl/run.cc includes \"isolation/id_map.h\" "
                          "against the direction"));
}

TEST(IncludeDirection, ExampleUsesPublicHeadersOnly) {
  const TempDir tree =
      TempDir::with({{"tests/examples/a.cc", "#include \"tests/support/temp_dir.h\"\n"}});
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("tests/examples/a.cc includes \"tests/support/temp_dir.h\" "
                          "against the direction"));
}

TEST(IncludeDirection, ProductDoesNotIncludeTests) {
  const TempDir tree = TempDir::with({{"proc/a.cc", "#include \"tests/support/skips.h\"\n"}});
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("proc/a.cc includes \"tests/support/skips.h\" against the direction"));
}

TEST(IncludeDirection, MissingPublicHeaderIsFound) {
  const TempDir tree = TempDir::with({{"fs/a.cc", "#include \"sandbox/secret.h\"\n"}});
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("fs/a.cc includes \"sandbox/secret.h\", which is no public header"));
}

TEST(IncludeDirection, IncludeRelativeToTheFileIsFound) {
  const TempDir tree = TempDir::with({{"fs/a.cc", "#include \"a.h\"\n"}, {"fs/a.h", ""}});
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("fs/a.cc includes \"a.h\", not a path from the root"));
}

TEST(IncludeDirection, TableBelongsToItsSource) {
  const TempDir tree = TempDir::with({
      {"isolation/a.cc", "#include \"generated.inc\"\n"},
      {"isolation/b.cc", "#include \"proc/generated.inc\"\n"},
  });
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("isolation/b.cc includes \"proc/generated.inc\" against the direction"));
}

TEST(IncludeDirection, TargetsAreToldApartByTheirWholeNames) {
  const TempDir tree = TempDir::with({
      {"runtime/init/CMakeLists.txt", "add_executable(sandbox-init a.cc)\n"},
      {"runtime/CMakeLists.txt",
       "add_library(sandbox STATIC b.cc)\ntarget_link_libraries(sandbox PUBLIC m)\n"},
  });
  EXPECT_THAT(direction_violations(tree.path()), IsEmpty());
}

TEST(IncludeDirection, LinkUpwardsIsFound) {
  const TempDir tree = TempDir::with({
      {"isolation/CMakeLists.txt", "add_library(sandbox_isolation STATIC a.cc)\n"},
      {"fs/CMakeLists.txt",
       "add_library(sandbox_fs STATIC b.cc)\n"
       "target_link_libraries(sandbox_fs\n  PUBLIC sandbox_isolation)\n"},
  });
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("fs/CMakeLists.txt links sandbox_isolation against the direction"));
}

TEST(IncludeDirection, LinkUpwardsOfAnInitLibraryIsFound) {
  const TempDir tree = TempDir::with({
      {"isolation/CMakeLists.txt", "sandbox_init_library(sandbox_isolation SOURCES a.cc)\n"},
      {"fs/CMakeLists.txt",
       "sandbox_init_library(sandbox_mounts\n  SOURCES b.cc\n  LIBS sandbox_isolation)\n"},
  });
  EXPECT_THAT(direction_violations(tree.path()),
              ElementsAre("fs/CMakeLists.txt links sandbox_isolation against the direction"));
}

}  // namespace
}  // namespace sandbox::test
