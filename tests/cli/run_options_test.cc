#include "runtime/sandboxctl/run_options.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/sandbox_arguments.h"

namespace sandboxctl {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

RunOptions parsed(std::vector<std::string> words) { return parse_run(words).value(); }

TEST(RunOptions, DefaultsAreTheStrongest) {
  const RunOptions options = parsed({"true"});
  EXPECT_EQ(options.sandbox.template_name, "host");
  EXPECT_EQ(options.sandbox.user, "");
  EXPECT_EQ(options.sandbox.network, sandbox::Network::None);
  EXPECT_EQ(options.sandbox.profile, sandbox::Profile::Default);
  EXPECT_THAT(options.command.env, IsEmpty());
  EXPECT_EQ(options.command.input, sandbox::Stdin::Empty);
  EXPECT_EQ(options.command.timeout, std::nullopt);
}

TEST(RunOptions, EachOptionArrives) {
  const RunOptions options =
      parsed({"-T",        "dir:/x", "-u", "root",   "-w",        "/w",     "-e",    "A=1",
              "--timeout", "2s",     "-v", "/h:/g",  "--profile", "strict", "--ids", "single",
              "--network", "host",   "-i", "--json", "--stats",   "prog",   "-x"});
  EXPECT_EQ(options.sandbox.template_name, "dir:/x");
  EXPECT_EQ(options.sandbox.user, "root");
  EXPECT_EQ(options.command.cwd, "/w");
  EXPECT_THAT(options.command.env, ElementsAre(Pair("A", "1")));
  EXPECT_EQ(options.command.timeout, 2s);
  EXPECT_EQ(options.sandbox.mounts.size(), 1U);
  EXPECT_EQ(options.sandbox.profile, sandbox::Profile::Strict);
  EXPECT_EQ(options.sandbox.ids, sandbox::Ids::Single);
  EXPECT_EQ(options.sandbox.network, sandbox::Network::Host);
  EXPECT_EQ(options.command.input, sandbox::Stdin::Pipe);
  EXPECT_TRUE(options.json);
  EXPECT_TRUE(options.stats);
  EXPECT_THAT(options.command.argv, ElementsAre("prog", "-x"));
}

TEST(RunOptions, MountIsReadWriteUnlessItSaysReadOnly) {
  EXPECT_EQ(parse_mount("/h:/g").access, sandbox::Access::ReadWrite);
  EXPECT_EQ(parse_mount("/h:/g:rw").access, sandbox::Access::ReadWrite);
  EXPECT_EQ(parse_mount("/h:/g:ro").access, sandbox::Access::ReadOnly);
}

TEST(RunOptions, MountSourceMayHaveColonsAndBeRelative) {
  EXPECT_EQ(parse_mount("/a:b:/g:ro").source, "/a:b");
  EXPECT_EQ(parse_mount("x:/g").source, std::filesystem::current_path() / "x");
}

TEST(RunOptions, BadMountIsAUsageError) {
  for (const char* text : {"", ":", "/h", "/h:", ":/g", "/h:g", "/h:ro", ":ro", "/h::ro"}) {
    EXPECT_THROW(parse_mount(text), Failure) << text;
  }
}

std::string complaint(std::vector<std::string> words) try {
  parsed(std::move(words));
  return {};
} catch (const Failure& failure) {
  EXPECT_EQ(failure.exit_code(), kUsageError);
  return failure.what();
}

TEST(RunOptions, LimitsArrive) {
  const RunOptions options = parsed(
      {"--memory", "64M", "--pids", "20", "--cpus", "0.5", "--disk", "1G", "--explain", "true"});
  const sandbox::Limits wanted{
      .memory_bytes = 64 << 20, .pids = 20, .cpus = 0.5, .disk_bytes = 1 << 30};
  EXPECT_EQ(options.sandbox.limits, wanted);
  EXPECT_TRUE(options.explain);
}

TEST(RunOptions, BadLimitIsNamedWithWhatWouldBeRight) {
  EXPECT_THAT(complaint({"--memory", "1.5G", "true"}), HasSubstr("write 1536M"));
  EXPECT_THAT(complaint({"--memory", "10 %", "true"}), HasSubstr("such as 512M"));
  EXPECT_THAT(complaint({"--disk", "0", "true"}), HasSubstr("--disk 0: not a whole number"));
  EXPECT_THAT(complaint({"--pids", "-3", "true"}), HasSubstr("--pids -3: not a whole number"));
  EXPECT_THAT(complaint({"--pids", "1.5", "true"}), HasSubstr("not a whole number"));
  EXPECT_THAT(complaint({"--cpus", "0", "true"}), HasSubstr("such as 0.5 or 2"));
  EXPECT_THAT(complaint({"--cpus", "half", "true"}), HasSubstr("such as 0.5 or 2"));
}

}  // namespace
}  // namespace sandboxctl
