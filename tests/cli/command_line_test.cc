// What sandboxctl says to command lines that are wrong, and to a process without stdio.

#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace sandbox::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

class WrongCommandLine : public ::testing::TestWithParam<Words> {};

TEST_P(WrongCommandLine, IsOneLineAndExitCode2) {
  const Ended end = sandboxctl(GetParam());
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_THAT(end.err, StartsWith("sandboxctl: usage: "));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
}

INSTANTIATE_TEST_SUITE_P(
    Cli, WrongCommandLine,
    ::testing::Values(
        Words{}, Words{""}, Words{"nosuch"}, Words{"-V"}, Words{"run"}, Words{"run", "--"},
        Words{"run", ""}, Words{"run", "-i"}, Words{"run", "--memory", "x", "--", "true"},
        Words{"run", "--pids=-4", "true"}, Words{"run", "-p", "80:80", "true"},
        Words{"run", "-t", "true"}, Words{"run", "--name", "x", "true"}, Words{"run", "-q", "true"},
        Words{"run", "--bad\nline", "true"}, Words{"run", "-e"}, Words{"run", "-e", "=1", "true"},
        Words{"run", "-w"}, Words{"run", "-w", "", "true"}, Words{"run", "-T", "", "true"},
        Words{"run", "-u", "", "true"}, Words{"run", "-T", "host", "-T", "host", "true"},
        Words{"run", "--timeout", "soon", "true"}, Words{"run", "--timeout", "0", "true"},
        Words{"run", "--timeout", "-1", "true"}, Words{"run", "--timeout=", "true"},
        Words{"run", "-v", "/tmp", "true"}, Words{"run", "-v", "/tmp:tmp", "true"},
        Words{"run", "--profile", "none", "true"}, Words{"run", "--ids", "all", "true"},
        Words{"run", "--network", "nat", "true"}, Words{"run", "--json=maybe", "true"},
        Words{"doctor", "now"}, Words{"doctor", "--jsn"}));

INSTANTIATE_TEST_SUITE_P(
    Files, WrongCommandLine,
    ::testing::Values(
        Words{"cp"}, Words{"cp", "web:/a"}, Words{"cp", "web:/a", "b", "c"},
        Words{"cp", "web:/a", "web:/b"}, Words{"cp", "a", "b"}, Words{"cp", "-", "-"},
        Words{"cp", "./web:/a", "b"}, Words{"cp", "", "web:/a"}, Words{"cp", "web:", "a"},
        Words{"cp", "-r", "-", "web:/a"}, Words{"cp", "web:/a", "-", "-r"},
        Words{"cp", "-x", "a", "web:/a"}, Words{"cp", "-u", "", "a", "web:/a"}, Words{"files"},
        Words{"files", "nosuch"}, Words{"files", "ls"}, Words{"files", "cat"},
        Words{"files", "cat", "web"}, Words{"files", "cat", "web", "/a", "--json"},
        Words{"files", "mv", "web", "/a"}, Words{"files", "mv", "web", "/a", "/b", "/c"},
        Words{"files", "write", "web"}, Words{"files", "write", "web", "/a", "/b"},
        Words{"files", "rm", "web"}, Words{"files", "ls", "web", "-l"},
        Words{"files", "ls", "web", "-u", ""}, Words{"files", "tree", "web", "--depth", "0"},
        Words{"files", "tree", "web", "--depth", "9x"}, Words{"files", "tree", "web", "/a", "/b"},
        Words{"watch"}, Words{"watch", "web"}, Words{"watch", "web", "/a", "/b"},
        Words{"watch", "web", "/a", "--jsn"}));

TEST(CommandLine, UnknownOptionNamesTheNearest) {
  EXPECT_THAT(sandboxctl({"run", "--tiemout", "1", "true"}).err,
              HasSubstr("did you mean --timeout?"));
}

TEST(CommandLine, UnknownVerbNamesTheNearest) {
  EXPECT_THAT(sandboxctl({"docter"}).err, HasSubstr("did you mean doctor?"));
}

TEST(CommandLine, HelpGoesToStdout) {
  for (const Words& words :
       {Words{"--help"}, Words{"run", "--help"}, Words{"doctor", "-h"}, Words{"cp", "--help"},
        Words{"files", "--help"}, Words{"files", "ls", "--help"}, Words{"watch", "-h"}}) {
    const Ended end = sandboxctl(words);
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.out, HasSubstr("Usage: sandboxctl"));
    EXPECT_THAT(end.err, IsEmpty());
  }
}

TEST(CommandLine, VersionIsANameAndANumber) {
  const Ended end = sandboxctl({"--version"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, MatchesRegex("sandboxctl [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandLine, HelpIntoAFullDiskIsNotSuccess) {
  const Ended end = sandboxctl({"--help"}, "", {.stdout_path = "/dev/full"});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("stdout: No space left on device"));
}

TEST(CommandLine, ClosedStdioDoesNotCrash) {
  for (const int fd : {0, 1, 2}) {
    EXPECT_EQ(sandboxctl({"run", "--nosuch"}, "", {.closed_fds = {fd}}).exit_code, 2) << fd;
  }
  EXPECT_EQ(sandboxctl({"run", "--nosuch"}, "", {.closed_fds = {0, 1, 2}}).exit_code, 2);
}

TEST(CommandLine, ClosedStdoutIsNotSuccess) {
  EXPECT_EQ(sandboxctl({"--help"}, "", {.closed_fds = {1}}).exit_code, 125);
}

}  // namespace
}  // namespace sandbox::test
