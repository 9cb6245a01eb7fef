// The same attempts under bubblewrap: what fails there must fail here.
#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>

#include "tests/attacks/attack_box.h"
#include "tests/support/skips.h"

namespace sandbox::test {
namespace {

using Results = std::map<std::string, std::string>;

Results under_bwrap(const Words& words) {
  Words argv{"bwrap",     "--unshare-all",   "--new-session", "--ro-bind", "/",       "/",
             "--proc",    "/proc",           "--dev",         "/dev",      "--tmpfs", "/tmp",
             "--ro-bind", probe_directory(), "/mnt",          "/mnt/probe"};
  argv.insert(argv.end(), words.begin(), words.end());
  return to_results(run_plain(argv).text);
}

class AsStrictAsBwrap : public ::testing::TestWithParam<const char*> {};

std::string name_of(const ::testing::TestParamInfo<const char*>& tested) {
  std::string name = tested.param;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(, AsStrictAsBwrap,
                         ::testing::Values("namespaces", "mounts", "handles", "domains", "filters",
                                           "masks", "setns", "terminals"),
                         name_of);

TEST_P(AsStrictAsBwrap, WhatFailsThereFailsHere) {
  require_program("bwrap");
  // Allowed on purpose: harmless to others, and programs ask for them.
  const std::set<std::string> ours{"personality(query)", "openpt", "open(/dev/tty)"};
  AttackBox attack;
  const Results bwrap = under_bwrap({GetParam()});
  const Results here = to_results(attack.probe({GetParam()}).stdout_text);
  ASSERT_GT(bwrap.size(), 0U);
  int stricter = 0;
  for (const auto& [attempt, there] : bwrap) {
    const auto found = here.find(attempt);
    if (found == here.end() || ours.contains(attempt)) continue;
    if (there != "ok") {
      EXPECT_NE(found->second, "ok") << attempt << " is " << there << " in bwrap";
    }
    if (there == "ok" && found->second != "ok") ++stricter;
  }
  RecordProperty("stricter", stricter);
}

}  // namespace
}  // namespace sandbox::test
