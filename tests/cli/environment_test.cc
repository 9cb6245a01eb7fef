#include "runtime/sandboxctl/environment.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/error.h"
#include "tests/support/temp_dir.h"

namespace sandboxctl {
namespace {

using sandbox::test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Environment parsed(std::string_view text) {
  Environment env;
  add_lines(env, text, "FILE");
  return env;
}

std::string complaint_about(std::string_view text) {
  try {
    parsed(text);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code(), kFailed);
    return failure.what();
  }
  return {};
}

TEST(Environment, LinesAreTakenLiterally) {
  EXPECT_THAT(parsed("A=\"1\" # no comment\nB=a=b $HOME \nC=\n"),
              ElementsAre(Pair("A", "\"1\" # no comment"), Pair("B", "a=b $HOME "), Pair("C", "")));
}

TEST(Environment, CommentsAndEmptyLinesAreSkipped) {
  EXPECT_THAT(parsed("# A=1\n\n   \n  # B=2\n  C=3"), ElementsAre(Pair("C", "3")));
}

TEST(Environment, WindowsLinesAndByteOrderMarkAreAccepted) {
  EXPECT_THAT(parsed("\xEF\xBB\xBF"
                     "A=1\r\nB=2\r\n"),
              ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(Environment, LaterLineWins) { EXPECT_THAT(parsed("A=1\nA=2"), ElementsAre(Pair("A", "2"))); }

TEST(Environment, BareNameTakesTheCallersValue) {
  ::setenv("SANDBOXCTL_TEST", "mine", 1);
  ::unsetenv("SANDBOXCTL_ABSENT");
  EXPECT_THAT(parsed("SANDBOXCTL_TEST\nSANDBOXCTL_ABSENT"),
              ElementsAre(Pair("SANDBOXCTL_TEST", "mine")));
}

TEST(Environment, BadLineIsNamed) {
  EXPECT_THAT(complaint_about("A=1\n=2\n"), HasSubstr("FILE:2: the variable has no name"));
  EXPECT_THAT(complaint_about("A B=1"), HasSubstr("FILE:1: white space"));
  EXPECT_THAT(complaint_about(std::string_view("A=1\0002", 5)), HasSubstr("FILE:1: a NUL byte"));
}

TEST(Environment, ArgumentWithoutNameIsAUsageError) {
  Environment env;
  try {
    add_variable(env, "=1");
    FAIL() << "expected Failure";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code(), kUsageError);
  }
  EXPECT_THAT(env, IsEmpty());
}

TEST(Environment, MissingFileIsNamed) {
  Environment env;
  try {
    add_file(env, "/nowhere/env");
    FAIL() << "expected Failure";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("/nowhere/env: No such file or directory"));
  }
}

TEST(Environment, FifoDoesNotHang) {
  const TempDir directory;
  const std::string path = directory.path("fifo");
  sandbox::check(::mkfifo(path.c_str(), 0600), "mkfifo", path);
  Environment env;
  add_file(env, path);
  EXPECT_THAT(env, IsEmpty());
}

TEST(Environment, EndlessFileIsRefused) {
  Environment env;
  EXPECT_THROW(add_file(env, "/dev/zero"), Failure);
}

}  // namespace
}  // namespace sandboxctl
