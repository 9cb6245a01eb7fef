// What a caller may get wrong, for every operation: a typed error, and nothing is changed.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <tuple>

#include "sandbox/files.h"
#include "tests/fs/test_root.h"
#include "tests/support/matchers.h"

namespace sandbox::test {
namespace {

struct Operation {
  const char* name;
  std::function<void(const Files&, const std::string& path, const std::string& user)> run;

  friend std::ostream& operator<<(std::ostream& out, const Operation& operation) {
    return out << operation.name;
  }
};

using Text = const std::string&;

const Operation kOperations[] = {
    {"Read", [](const Files& f, Text path, Text user) { f.read(path, {.user = user}); }},
    {"ReadChunks", [](const Files& f, Text path,
                      Text user) { f.read_chunks(path, [](std::string_view) {}, {.user = user}); }},
    {"Write", [](const Files& f, Text path, Text user) { f.write(path, "x", {.user = user}); }},
    {"WriteAtomic",
     [](const Files& f, Text path, Text user) {
       f.write(path, "x", {.user = user, .mode = WriteMode::Atomic});
     }},
    {"Append", [](const Files& f, Text path, Text user) { f.append(path, "x", user); }},
    {"List", [](const Files& f, Text path, Text user) { f.list(path, {.user = user}); }},
    {"MakeDir", [](const Files& f, Text path, Text user) { f.make_dir(path, user); }},
    {"RenameFrom", [](const Files& f, Text path, Text user) { f.rename(path, "/new", user); }},
    {"RenameTo", [](const Files& f, Text path, Text user) { f.rename("/file", path, user); }},
    {"CopyFrom",
     [](const Files& f, Text path, Text user) { f.copy(path, "/new", {.user = user}); }},
    {"CopyTo", [](const Files& f, Text path, Text user) { f.copy("/file", path, {.user = user}); }},
    {"Symlink", [](const Files& f, Text path, Text user) { f.symlink("x", path, user); }},
    {"Chmod", [](const Files& f, Text path, Text user) { f.chmod(path, 0600, user); }},
    {"Chown", [](const Files& f, Text path, Text user) { f.chown(path, "user", user); }},
    {"Touch", [](const Files& f, Text path, Text user) { f.touch(path, user); }},
    {"DiskUsage", [](const Files& f, Text path, Text user) { f.disk_usage(path, user); }},
    {"Metadata", [](const Files& f, Text path, Text user) { f.metadata(path, user); }},
    {"SetMetadata",
     [](const Files& f, Text path, Text user) {
       f.set_metadata(path, {{"k", "v"}}, user);
     }},
    {"Upload", [](const Files& f, Text path,
                  Text user) { f.upload("/proc/self/exe", path, {.user = user}); }},
    {"Download",
     [](const Files& f, Text path, Text user) { f.download(path, "/no/dir", {.user = user}); }},
    {"DownloadTar",
     [](const Files& f, Text path, Text user) { f.download_tar(path, -1, {.user = user}); }},
    {"UploadTar",
     [](const Files& f, Text path, Text user) { f.upload_tar(-1, path, {.user = user}); }},
    {"Watch", [](const Files& f, Text path, Text user) { f.watch(path, {.user = user}); }},
};

// These find nothing where there is nothing.
const Operation kQuestions[] = {
    {"Stat", [](const Files& f, Text path, Text user) { f.stat(path, user); }},
    {"Exists", [](const Files& f, Text path, Text user) { f.exists(path, user); }},
    {"Remove", [](const Files& f, Text path, Text user) { f.remove(path, user); }},
};

class BadInput : public ::testing::TestWithParam<std::tuple<RootKind, Operation>> {
 protected:
  BadInput() { root_.write("/file", "kept"); }
  ~BadInput() override {
    EXPECT_EQ(root_.files().list("/").size(), 2U);  // /file and /home.
    EXPECT_EQ(root_.read("/file"), "kept");
  }

  void call(const std::string& path, const std::string& user) const {
    std::get<Operation>(GetParam()).run(root_.files(), path, user);
  }

  TestRoot root_{std::get<RootKind>(GetParam())};
};

class BadInputToAnyOperation : public BadInput {};
class BadPathThatIsNotThere : public BadInput {};

std::string name_of(const ::testing::TestParamInfo<BadInput::ParamType>& info) {
  return ::testing::PrintToString(std::get<Operation>(info.param)) + '_' +
         ::testing::PrintToString(std::get<RootKind>(info.param));
}

const auto kBothWays = ::testing::Values(RootKind::Plain, RootKind::PlainByAgent);
INSTANTIATE_TEST_SUITE_P(Questions, BadInputToAnyOperation,
                         ::testing::Combine(kBothWays, ::testing::ValuesIn(kQuestions)), name_of);
INSTANTIATE_TEST_SUITE_P(Operations, BadInputToAnyOperation,
                         ::testing::Combine(kBothWays, ::testing::ValuesIn(kOperations)), name_of);
INSTANTIATE_TEST_SUITE_P(Operations, BadPathThatIsNotThere,
                         ::testing::Combine(kBothWays, ::testing::ValuesIn(kOperations)), name_of);

TEST_P(BadInputToAnyOperation, IsATypedError) {
  EXPECT_THAT([&] { call("", ""); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { call(std::string("/file\0/etc", 10), ""); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { call("~other/x", ""); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { call("x", "homeless"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { call("~/x", "homeless"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { call("/file", "nobody-knows"); }, FailsWith(EINVAL));
  EXPECT_THAT([&] { call("/" + std::string(5000, 'a'), ""); }, FailsWith(ENAMETOOLONG));
  EXPECT_THAT([&] { call("/" + std::string(256, 'a'), ""); }, FailsWith(ENAMETOOLONG));
}

TEST_P(BadPathThatIsNotThere, LeadsThroughAFile) {
  EXPECT_THAT([&] { call("/file/below", ""); }, FailsWith(ENOTDIR));
  EXPECT_THAT([&] { call("/file/below/that", ""); }, FailsWith(ENOTDIR));
}

}  // namespace
}  // namespace sandbox::test
