#include "runtime/sandboxctl/arguments.h"

#include <gmock/gmock.h>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Words = std::vector<std::string>;

struct Parsed {
  Words values;
  bool flag = false;
  Words rest;
};

Parsed parsed(const Words& words) {
  CLI::App app("", "verb");
  Parsed result;
  add_values(app, "-e,--env", result.values, "");
  app.add_flag("-i,--interactive", result.flag, "");
  parse(app, "usage", words, result.rest);
  return result;
}

// By a verb whose words are all its own.
Parsed parsed_words(const Words& words) {
  CLI::App app("", "verb");
  Parsed result;
  add_values(app, "-e,--env", result.values, "");
  app.add_flag("-i,--interactive", result.flag, "");
  parse_words(app, "usage", words, result.rest);
  return result;
}

std::string complaint_about(const Words& words) {
  try {
    parsed(words);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code(), kUsageError);
    return failure.what();
  }
  return {};
}

TEST(Arguments, FirstPlainWordEndsTheOptions) {
  const Parsed result = parsed({"-i", "ls", "-e", "--all", "--", "-i"});
  EXPECT_TRUE(result.flag);
  EXPECT_THAT(result.values, IsEmpty());
  EXPECT_THAT(result.rest, ElementsAre("ls", "-e", "--all", "--", "-i"));
}

TEST(Arguments, DoubleDashEndsTheOptionsOnce) {
  EXPECT_THAT(parsed({"--", "--env", "x"}).rest, ElementsAre("--env", "x"));
  EXPECT_THAT(parsed({"--", "--", "x"}).rest, ElementsAre("--", "x"));
  EXPECT_FALSE(parsed({"--", "-i"}).flag);
}

TEST(Arguments, OptionsOfAVerbWithoutACommandMayStandAnywhere) {
  const Parsed result = parsed_words({"a", "-e", "x", "b", "-i", "-"});
  EXPECT_TRUE(result.flag);
  EXPECT_THAT(result.values, ElementsAre("x"));
  EXPECT_THAT(result.rest, ElementsAre("a", "b", "-"));
}

TEST(Arguments, WordsBehindTwoDashesAreNoOptions) {
  EXPECT_THAT(parsed_words({"a", "--", "-i", "--env", "--", "--"}).rest,
              ElementsAre("a", "-i", "--env", "--", "--"));
  EXPECT_THAT(parsed_words({"--", "--nosuch"}).rest, ElementsAre("--nosuch"));
}

TEST(Arguments, WordsAreTakenAsTheyAre) {
  const Words words{"", "[a,b]", "[]", "{}", "a,b", "%%", "'x'", "a=b", "\xff", "[x"};
  EXPECT_THAT(parsed_words(words).rest, ::testing::ElementsAreArray(words));
}

TEST(Arguments, EmptyWordIsAWord) { EXPECT_THAT(parsed({"", "x"}).rest, ElementsAre("", "x")); }

TEST(Arguments, ValueIsOneWordHoweverItLooks) {
  EXPECT_THAT(parsed({"-e", "a", "b"}).rest, ElementsAre("b"));
  EXPECT_THAT(parsed({"-e", "[a,b]", "--env=c=d", "-e", "--", "-e-i"}).values,
              ElementsAre("[a,b]", "c=d", "--", "-i"));
}

TEST(Arguments, MissingValueNamesTheOption) {
  EXPECT_THAT(complaint_about({"-e"}), HasSubstr("--env"));
}

TEST(Arguments, UnknownOptionNamesTheNearest) {
  EXPECT_THAT(complaint_about({"--enf", "x"}),
              HasSubstr("--enf: no such option; did you mean --env?"));
  EXPECT_THAT(complaint_about({"--inter"}), HasSubstr("did you mean --interactive?"));
}

TEST(Arguments, UnknownOptionUnlikeAnyOtherNamesNone) {
  EXPECT_THAT(complaint_about({"--memory", "1G"}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(complaint_about({"-q"}), HasSubstr("-q: no such option"));
}

TEST(Arguments, UnknownOptionBeforeAnOptionIsFound) {
  EXPECT_THAT(complaint_about({"--memory", "-i", "ls"}), HasSubstr("--memory"));
}

}  // namespace
}  // namespace sandboxctl
