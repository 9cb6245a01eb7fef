#include "tests/cli/live_box.h"

#include <filesystem>

#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

Runtime runtime_at(const TempDir& home) {
  require_user_namespaces();
  // Sandboxes of root run as somebody else, who must get at the layers in the data directory.
  std::filesystem::permissions(home.path(), std::filesystem::perms(0711));
  return Runtime({.data_directory = home.path()});
}

}  // namespace

LiveBox::LiveBox()
    : runtime_(runtime_at(home_)), box_(runtime_.create({.lifetime = Lifetime::Detached})) {}

LiveBox::~LiveBox() { EXPECT_NO_THROW(box_.destroy()); }

ProgramSetup LiveBox::setup(ProgramSetup setup) const {
  setup.env.emplace("SANDBOX_HOME", home_.path());
  return setup;
}

Ended LiveBox::run(const std::vector<std::string>& words, const std::string& input,
                   const ProgramSetup& setup) const {
  return sandboxctl(words, input, this->setup(setup));
}

std::string LiveBox::sh(const std::string& script) const {
  const CommandResult result = box_.commands().run({.argv = {"/bin/sh", "-c", script}});
  EXPECT_EQ(result.exit_code(), 0) << script << ": " << result.stderr_text;
  return result.stdout_text;
}

void LiveBox::clear_home() const {
  for (const EntryInfo& entry : box_.files().list("/home/user")) box_.files().remove(entry.path);
}

LiveBoxTest::LiveBoxTest() {
  if (shared) {
    shared->clear_home();
  } else {
    shared = std::make_unique<LiveBox>();
  }
  nothing_left_.emplace();
}

}  // namespace sandbox::test
