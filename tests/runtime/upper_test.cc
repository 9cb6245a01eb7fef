// Upper::Memory and Upper::Directory: the same for programs, and nothing is left of either.

#include <gmock/gmock.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "sandbox/error.h"
#include "tests/runtime/box.h"
#include "tests/support/process_snapshot.h"

namespace sandbox {
namespace {

using test::Box;
using test::LeakCheck;

// What overlays are bad at, on files of the template and on new ones.
constexpr const char* kOperations = R"(
exec 2>&1
cd /etc
echo more >> hosts && tail -n 1 hosts
mv hostname renamed && cat renamed && ls hostname
rm renamed && ls renamed
rm -r alternatives && ls alternatives
mkdir alternatives && ls alternatives | wc -l
cd ~
mkdir -p a/b/c && mv a d && find d | sort
echo text > d/file && ln d/file hard && stat -c %h hard && ln -s d/file soft && cat soft
chmod 600 hard && stat -c %a d/file
mkfifo pipe && stat -c %F pipe
truncate -s 1G sparse && stat -c %s sparse && rm sparse
touch open && exec 3> open && rm open && echo into >&3 && exec 3>&-
ls -A | sort
stat -c '%a %U' / /etc /home /tmp
)";

std::string result_with(Upper upper) {
  const Box box(SandboxOptions{.upper = upper});
  return box.sh(kOperations).stdout_text;
}

bool memory_works() {
  try {
    const Box box(SandboxOptions{.upper = Upper::Memory});
    return true;
  } catch (const Error&) {
    return false;
  }
}

void require_memory() {
  if (!memory_works()) GTEST_SKIP() << "needs user xattrs on tmpfs, Linux 6.6";
}

std::size_t boxes_in(const Box& box) {
  const std::filesystem::path boxes = box.data_directory() + "/boxes";
  if (!std::filesystem::exists(boxes)) return 0;
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(boxes), {}));
}

TEST(Upper, MemoryAndDirectoryGiveTheSameResults) {
  require_memory();
  if (::testing::Test::IsSkipped()) return;
  const std::string memory = result_with(Upper::Memory);
  EXPECT_EQ(memory, result_with(Upper::Directory));
  EXPECT_THAT(memory, ::testing::HasSubstr("755 user"));
}

TEST(Upper, DirectoryIsThereWhileTheSandboxLivesAndNotLonger) {
  Box box(SandboxOptions{.upper = Upper::Directory});
  box.out("echo text > file");
  EXPECT_EQ(boxes_in(box), 1U);
  box.sandbox().destroy();
  EXPECT_EQ(boxes_in(box), 0U);
}

TEST(Upper, DirectoryWithLockedDirectoriesGoesToo) {
  Box box(SandboxOptions{.upper = Upper::Directory});
  box.out("mkdir -p locked/inner && touch locked/inner/file && chmod 000 locked/inner locked");
  box.sandbox().destroy();
  EXPECT_EQ(boxes_in(box), 0U);
}

TEST(Upper, DirectoryAsDeepAsPathsGoToo) {
  Box box(SandboxOptions{.upper = Upper::Directory});
  box.out(
      "i=0; while [ $i -lt 300 ]; do mkdir ddddddddddddddddddd && cd -P ddddddddddddddddddd; "
      "i=$((i+1)); done");
  box.sandbox().destroy();
  EXPECT_EQ(boxes_in(box), 0U);
}

TEST(Upper, MemoryWritesNothingIntoTheDataDirectory) {
  require_memory();
  if (::testing::Test::IsSkipped()) return;
  Box box;
  const LeakCheck nothing_written({box.data_directory()});
  const Sandbox other = box.runtime().create({.upper = Upper::Memory});
  other.files().write("/home/user/file", "x");
}

TEST(Upper, NextSandboxStartsFromTheTemplate) {
  Box box(SandboxOptions{.upper = Upper::Directory});
  box.out("echo changed > /etc/hosts; touch ~/new");
  box.sandbox() = box.runtime().create({.upper = Upper::Directory});
  EXPECT_EQ(box.out("ls ~; grep -c changed /etc/hosts || true"), "0\n");
}

}  // namespace
}  // namespace sandbox
