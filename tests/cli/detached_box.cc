#include "tests/cli/detached_box.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/skips.h"

namespace sandbox::test {

DetachedBoxes::DetachedBoxes() {
  require_user_namespaces();
  // Sandboxes of root run as somebody else, who must get at the layers in the data directory.
  std::filesystem::permissions(home_.path(), std::filesystem::perms(0711));
}

DetachedBoxes::~DetachedBoxes() { EXPECT_EQ(sandboxctl({"rm", "--all"}).exit_code, 0); }

ProgramSetup DetachedBoxes::setup() const {
  ProgramSetup setup;
  setup.env.emplace("SANDBOX_HOME", home_.path());
  return setup;
}

Ended DetachedBoxes::sandboxctl(const std::vector<std::string>& words,
                                const std::string& input) const {
  return test::sandboxctl(words, input, setup());
}

std::string DetachedBoxes::create(std::vector<std::string> options) const {
  options.insert(options.begin(), "create");
  const Ended end = sandboxctl(options);
  EXPECT_EQ(end.exit_code, 0) << end.err;
  return end.out.substr(0, end.out.find('\n'));
}

}  // namespace sandbox::test
