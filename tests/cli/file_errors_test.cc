#include "runtime/sandboxctl/file_errors.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sandboxctl {
namespace {

using sandbox::Error;

std::string line(const std::string& subject, const Error& error) {
  return file_failure("reading", subject, error).what();
}

TEST(FileErrors, SubjectIsWhatWasTyped) {
  EXPECT_EQ(line("web:/a", Error(ENOENT, "openat2", "/a")),
            "sandboxctl: reading: web:/a: No such file or directory\n");
  EXPECT_EQ(line("web:notes/a", Error(ENOENT, "openat2", "/home/user/notes/a")),
            "sandboxctl: reading: web:notes/a: No such file or directory\n");
}

TEST(FileErrors, FileOfATreeIsNamed) {
  EXPECT_EQ(line("web:/tree", Error(EACCES, "openat2", "sub/x", "try harder")),
            "sandboxctl: reading: web:/tree: sub/x: Permission denied\nhint: try harder\n");
}

TEST(FileErrors, EndOfTheSandboxIsSaidInWords) {
  EXPECT_EQ(line("web:/a", Error(EPIPE, "files", "", "the sandbox has ended")),
            "sandboxctl: reading: web:/a: the sandbox has ended\n");
}

TEST(FileErrors, NamesCannotForgeALine) {
  EXPECT_EQ(line("web:/a\nb", Error(ENOENT, "openat2", "/a\nb")),
            "sandboxctl: reading: web:/a\\nb: No such file or directory\n");
}

}  // namespace
}  // namespace sandboxctl
