#include "templates/ignore_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace sandbox {
namespace {

struct Case {
  const char* rules;
  const char* path;
  bool ignored;
};

class IgnoreRulesOf : public ::testing::TestWithParam<Case> {};

TEST_P(IgnoreRulesOf, AreThoseOfDocker) {
  const auto& [rules, path, ignored] = GetParam();
  EXPECT_EQ(IgnoreRules(rules).ignores(path), ignored) << rules << " of " << path;
}

INSTANTIATE_TEST_SUITE_P(
    Paths, IgnoreRulesOf,
    ::testing::Values(Case{"", "a", false}, Case{"a", "a", true}, Case{"a", "a/b/c", true},
                      Case{"a", "b/a", false}, Case{"/a", "a", true}, Case{"a/", "a/b", true},
                      Case{"./a", "a", true}, Case{"b/../a", "a", true}, Case{"*.o", "x.o", true},
                      Case{"*.o", "d/x.o", false}, Case{"*/*.o", "d/x.o", true},
                      Case{"**/*.o", "x.o", true}, Case{"**/*.o", "d/e/x.o", true},
                      Case{"d/**", "d/e", true}, Case{"d/**/x", "d/e/f/x", true},
                      Case{"a?", "ab", true}, Case{"a?", "a", false}, Case{"[ab]", "b", true},
                      Case{"\\*", "*", true}, Case{"\\*", "x", false}, Case{"# a", "# a", false},
                      Case{"  a\t\r\n", "a", true}, Case{"a\n!a/b", "a/b", false},
                      Case{"a\n!a/b", "a/c", true}, Case{"!a\na", "a", true},
                      Case{"*\n!a", "a", false}, Case{".*", ".git", true},
                      Case{"\n/\n.\n", "a", false}));

}  // namespace
}  // namespace sandbox
