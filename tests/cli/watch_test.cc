// sandboxctl watch: what it prints, and how it ends.

#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/live_box.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Words = std::vector<std::string>;

class Watch : public LiveBoxTest {
 protected:
  Words words(Words options, const std::string& path) const {
    options.insert(options.begin(), "watch");
    options.push_back(box().id());
    options.push_back(path);
    return options;
  }
};

constexpr const char* kStarted = "\"start\"";

TEST_F(Watch, PrintsALineForEachChange) {
  Program program(words({}, "."), box().setup());
  program.await_stderr("watching");
  box().sh("echo x > a; mv a b; rm b");
  program.await_stdout("remove  b\n");
  program.signal(SIGINT);
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, HasSubstr("create  a\n"));
  EXPECT_THAT(end.out, HasSubstr("write   a\n"));
  EXPECT_THAT(end.out, HasSubstr("rename  a\ncreate  b\n"));
  EXPECT_EQ(end.err, "sandboxctl: watching: " + box().id() + ":.\n");
}

TEST_F(Watch, SeesFilesInADirectoryMadeLater) {
  Program program(words({"-r", "--json"}, "/home/user"), box().setup());
  program.await_stdout(kStarted);
  box().sh("mkdir d; for n in 1 2 3; do echo $n > d/$n; done");
  for (const char* name : {"\"d/1\"", "\"d/2\"", "\"d/3\""}) program.await_stdout(name);
  program.signal(SIGTERM);
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, IsEmpty());
  std::istringstream lines(end.out);
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(json::parse(line).is_object());
}

TEST_F(Watch, DoesNotLookBelowUnlessAsked) {
  box().sh("mkdir d");
  Program program(words({"--json"}, "."), box().setup());
  program.await_stdout(kStarted);
  box().sh("echo x > d/below; echo x > last");
  program.await_stdout("\"last\"");
  program.signal(SIGINT);
  EXPECT_THAT(program.wait().out, Not(HasSubstr("below")));
}

TEST_F(Watch, EndOfTheSandboxIsSaid) {
  LiveBox other;
  Program program({"watch", "--json", other.id(), "."}, other.setup());
  program.await_stdout(kStarted);
  other.destroy();
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_EQ(end.err, "sandboxctl: watching: " + other.id() + ":.: the sandbox has ended\n");
}

TEST_F(Watch, EndOfTheDirectoryIsSaid) {
  box().sh("mkdir d");
  Program program(words({"--json"}, "d"), box().setup());
  program.await_stdout(kStarted);
  box().sh("rmdir d");
  const Ended end = program.wait();
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.out, HasSubstr("\"remove\""));
  EXPECT_THAT(end.err, HasSubstr("the directory was removed or moved"));
}

TEST_F(Watch, WhatIsNoDirectoryIsNamed) {
  for (const char* path : {"/nosuch", "/etc/passwd"}) {
    const Ended end = box().run(words({}, path));
    EXPECT_EQ(end.exit_code, 125);
    EXPECT_THAT(end.err, HasSubstr(std::string(path) + ": "));
    EXPECT_TRUE(is_one_line(end.err)) << end.err;
  }
}

TEST_F(Watch, ReaderThatLeavesEndsItBySigpipe) {
  Program program(words({"--json"}, "."), box().setup());
  program.await_stdout(kStarted);
  program.close_stdout();
  box().sh("echo x > a");
  EXPECT_EQ(program.wait().signal, SIGPIPE);
}

}  // namespace
}  // namespace sandbox::test
