// sandboxctl files: each verb below it, for people and as documents.

#include <gmock/gmock.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <nlohmann/json.hpp>

#include "sandbox/error.h"
#include "sandbox/unique_fd.h"
#include "tests/cli/live_box.h"

namespace sandbox::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

class FilesVerbs : public LiveBoxTest {
 protected:
  // `words` are the verb and what follows the id.
  Ended files(Words words, const std::string& input = {}, const ProgramSetup& setup = {}) const {
    words.insert(words.begin() + 1, box().id());
    words.insert(words.begin(), "files");
    return box().run(words, input, setup);
  }
  json document(Words words, const std::string& input = {}) const {
    words.emplace_back("--json");
    const Ended end = files(words, input);
    EXPECT_EQ(end.exit_code, 0) << end.err;
    return json::parse(end.out);
  }
};

void expect_silence(const Ended& end) {
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_THAT(end.err, IsEmpty());
}

void expect_failure(const Ended& end, const std::string& text) {
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_THAT(end.err, AllOf(StartsWith("sandboxctl: "), HasSubstr(text)));
  EXPECT_TRUE(is_one_line(end.err)) << end.err;
}

TEST_F(FilesVerbs, LsIsATable) {
  box().sh("echo x > a; mkdir d; ln -s a l; head -c 2000000 /dev/zero > big");
  const Ended end = files({"ls"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, ContainsRegex("-rw-r--r--  user  user +2 B  [0-9: -]+  a\n"));
  EXPECT_THAT(end.out, ContainsRegex("-rw-r--r--  user  user  1.9 MiB  [0-9: -]+  big\n"));
  EXPECT_THAT(end.out, HasSubstr("  d/\n"));
  EXPECT_THAT(end.out, HasSubstr("  l -> /home/user/a\n"));
}

TEST_F(FilesVerbs, LsOfSeveralDirectoriesHasHeadings) {
  box().sh("mkdir d e; echo x > d/a");
  EXPECT_THAT(files({"ls", "d", "e"}).out, AllOf(StartsWith("d:\n"), HasSubstr("a\ne:\n")));
}

TEST_F(FilesVerbs, LsOfAFileIsTheFile) {
  box().sh("echo x > a");
  EXPECT_THAT(files({"ls", "a"}).out, HasSubstr("  a\n"));
}

TEST_F(FilesVerbs, LsAsADocument) {
  box().sh("echo x > a; mkdir d");
  const json entries = document({"ls", "/home/user"});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0]["path"], "/home/user/a");
  EXPECT_EQ(entries[0]["size_bytes"], 2);
  EXPECT_EQ(entries[1]["type"], "directory");
  EXPECT_EQ(document({"ls", "d"}), json::array());
}

TEST_F(FilesVerbs, HostileNamesAreEscaped) {
  box().sh("touch \"$(printf 'a\\nb\\033[2J\\377')\"");
  EXPECT_THAT(files({"ls"}).out, HasSubstr("  a\\nb\\x1b[2J\\xff\n"));
  EXPECT_THAT(files({"tree"}).out, HasSubstr("─ a\\nb\\x1b[2J\\xff\n"));
  const json entry = document({"ls"})[0];
  EXPECT_EQ(entry["name"], "a\nb\x1b[2J\\xff");
  EXPECT_EQ(entry["encoding"], "escaped");
}

TEST_F(FilesVerbs, ColoursAreForTerminalsOnly) {
  box().sh("mkdir d");
  EXPECT_THAT(files({"ls"}).out, Not(HasSubstr("\x1b")));
  int ends[2];
  std::array<char, 4096> buffer{};
  check(::openpty(&ends[0], &ends[1], buffer.data(), nullptr, nullptr), "openpty");
  const UniqueFd reader(ends[0]);
  const UniqueFd terminal(ends[1]);
  const std::string path = buffer.data();
  const auto shown = [&](const ProgramSetup& setup) {
    EXPECT_EQ(files({"ls"}, "", setup).exit_code, 0);
    const ssize_t count = check(::read(reader.get(), buffer.data(), buffer.size()), "read");
    return std::string(buffer.data(), static_cast<size_t>(count));
  };
  EXPECT_THAT(shown({.stdout_path = path}), HasSubstr("\x1b[34md\x1b[0m/"));
  EXPECT_THAT(shown({.env = {{"NO_COLOR", "1"}}, .stdout_path = path}), Not(HasSubstr("\x1b[")));
}

TEST_F(FilesVerbs, TreeShowsAllLevelsOrSome) {
  box().sh("mkdir -p a/b; echo x > a/b/c; echo x > d");
  EXPECT_EQ(files({"tree"}).out, "/home/user\n├── a/\n│   └── b/\n│       └── c\n└── d\n");
  EXPECT_EQ(files({"tree", "--depth", "1"}).out, "/home/user\n├── a/\n└── d\n");
  EXPECT_EQ(document({"tree", "a"}).size(), 2U);
}

TEST_F(FilesVerbs, CatPrintsFilesOneAfterTheOther) {
  box().sh("echo one > a; printf 'two\\0' > b");
  EXPECT_EQ(files({"cat", "a", "/home/user/b", "a"}).out, std::string("one\ntwo\0one\n", 12));
}

TEST_F(FilesVerbs, CatIntoAReaderThatLeavesEndsBySigpipe) {
  box().sh("head -c 4000000 /dev/zero > big");
  Program program({"files", "cat", box().id(), "big"}, box().setup());
  program.await_stdout(std::string(1, '\0'));
  program.close_stdout();
  EXPECT_EQ(program.wait().signal, SIGPIPE);
}

TEST_F(FilesVerbs, WriteTakesStdinAndKeepsTheMode) {
  expect_silence(files({"write", "new/file"}, "first"));
  box().sh("chmod 700 new/file");
  expect_silence(files({"write", "new/file"}, "2nd"));
  EXPECT_EQ(box().sh("cat new/file; stat -c ' %a' new/file"), "2nd 700\n");
  EXPECT_EQ(document({"write", "new/file"}, "third")["size_bytes"], 5);
}

TEST_F(FilesVerbs, StatTellsEverything) {
  box().sh("printf 12345 > a; chmod 640 a; ln -s a l");
  const std::string text = files({"stat", "a", "l"}).out;
  EXPECT_THAT(text, HasSubstr("path          /home/user/a\n"));
  EXPECT_THAT(text, HasSubstr("size          5 B (5 bytes)\n"));
  EXPECT_THAT(text, HasSubstr("mode          0640 -rw-r-----\n"));
  EXPECT_THAT(text, HasSubstr("owner         user:user\n"));
  EXPECT_THAT(text, HasSubstr("leads to      /home/user/a\n"));
  const json entries = document({"stat", "l"});
  EXPECT_EQ(entries[0]["symlink_target"], "/home/user/a");
}

TEST_F(FilesVerbs, MkdirMakesParentsAndSaysWhatWasNew) {
  expect_silence(files({"mkdir", "a/b", "a/b"}));
  EXPECT_EQ(box().sh("stat -c '%F %U' a/b"), "directory user\n");
  const json entries = document({"mkdir", "a", "c"});
  EXPECT_EQ(entries[0]["created"], false);
  EXPECT_EQ(entries[1]["created"], true);
}

TEST_F(FilesVerbs, MvRenamesOrMovesIntoADirectory) {
  box().sh("echo x > a; mkdir d");
  expect_silence(files({"mv", "a", "b"}));
  expect_silence(files({"mv", "b", "d"}));
  EXPECT_EQ(box().sh("cat d/b"), "x\n");
  EXPECT_EQ(document({"mv", "d/b", "new/c"})["path"], "/home/user/new/c");
}

TEST_F(FilesVerbs, RmRemovesTreesAndWhatIsNotThere) {
  box().sh("mkdir -p d/e; echo x > d/e/f; ln -s /etc d/link; echo x > a");
  expect_silence(files({"rm", "d", "a", "nosuch"}));
  EXPECT_EQ(box().sh("ls -A; test -e /etc/passwd && echo there"), "there\n");
}

TEST_F(FilesVerbs, WhatIsMissingIsNamed) {
  for (const char* verb : {"ls", "tree", "cat", "stat"}) {
    expect_failure(files({verb, "nosuch"}), ":nosuch: No such file or directory");
  }
  expect_failure(files({"mv", "nosuch", "x"}), ":nosuch: No such file or directory");
}

TEST_F(FilesVerbs, NothingIsPrintedWhenOneOfSeveralFails) {
  expect_failure(files({"stat", "/etc", "nosuch"}), ":nosuch: No such file");
  expect_failure(files({"ls", "/etc", "nosuch", "--json"}), ":nosuch: No such file");
}

TEST_F(FilesVerbs, WrongKindsAreNamed) {
  box().sh("echo x > a; mkfifo p");
  expect_failure(files({"cat", "/etc"}), ":/etc: Is a directory");
  expect_failure(files({"cat", "p"}), ":p: Invalid argument");
  expect_failure(files({"write", "/etc"}, "x"), ":/etc: Is a directory");
  expect_failure(files({"mkdir", "a"}), ":a: Not a directory");
  expect_failure(files({"rm", "/"}), ":/: Invalid argument");
  expect_failure(files({"ls", "/proc"}), ":/proc: Invalid cross-device link");
}

TEST_F(FilesVerbs, UnknownSandboxAndUserAreNamed) {
  const Ended end = box().run({"files", "ls", "nosuch"});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("nosuch"));
  expect_failure(files({"ls", "-u", "nosuch"}), "nosuch: Invalid argument");
}

TEST_F(FilesVerbs, FullDiskBehindStdoutIsNotSuccess) {
  const Ended end = files({"ls", "/etc"}, "", {.stdout_path = "/dev/full"});
  EXPECT_EQ(end.exit_code, 125);
  EXPECT_THAT(end.err, HasSubstr("stdout: No space left on device"));
}

}  // namespace
}  // namespace sandbox::test
