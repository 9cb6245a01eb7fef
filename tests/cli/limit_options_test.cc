// What is no limit, and the exact answer to it.
#include "runtime/sandboxctl/limit_options.h"

#include <gmock/gmock.h>

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

using Words = std::vector<std::string>;

sandbox::Limits parsed(const Words& words) {
  CLI::App app("test", "run");
  LimitOptions options;
  options.add_to(app);
  Words rest;
  parse(app, "usage", words, rest);
  return options.parse(app);
}

std::string answer_to(const Words& words) {
  try {
    parsed(words);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit_code(), kUsageError);
    return format(failure.message());
  }
  return "it was accepted";
}

TEST(LimitOptions, SizesAreWholeNumbersWithAUnit) {
  for (const char* option :
       {"--memory", "--disk", "--memory-high", "--disk-read-rate", "--file-size"}) {
    for (const char* text :
         {"0", "-1", "1.5G", "10 %", "10%", "9223372036854775808", "9999999T", "x", "12k"}) {
      EXPECT_EQ(answer_to({std::string(option) + "=" + text}),
                "sandboxctl: usage: " + std::string(option) + " " + text +
                    ": not a whole number of bytes, K, M, G or T above zero, such as 512M\n"
                    "hint: for one and a half G write 1536M\n");
    }
  }
}

TEST(LimitOptions, CountsAreWholeNumbers) {
  for (const char* option : {"--pids", "--cpu-weight", "--open-files"}) {
    for (const char* text : {"0", "-1", "1.5", "10 %", "9223372036854775808", "1K"}) {
      EXPECT_EQ(answer_to({std::string(option) + "=" + text}),
                "sandboxctl: usage: " + std::string(option) + " " + text +
                    ": not a whole number above zero\n");
    }
  }
}

TEST(LimitOptions, ProcessorsAreANumber) {
  for (const char* text : {"0", "-0.5", "10 %", "10%", "1,5", "nan", "1e999", "-inf"}) {
    EXPECT_EQ(answer_to({std::string("--cpus=") + text}),
              "sandboxctl: usage: --cpus " + std::string(text) +
                  ": not a number of processors above zero, such as 0.5 or 2\n");
  }
}

TEST(LimitOptions, EachSetsItsLimit) {
  const sandbox::Limits all =
      parsed({"--memory", "64M", "--memory-high=48M", "--pids", "5", "--cpus", "0.5",
              "--cpu-weight", "7", "--disk", "1G", "--disk-read-rate", "2M", "--disk-write-rate",
              "1M", "--open-files", "32", "--file-size", "3K"});
  EXPECT_EQ(all, (sandbox::Limits{.memory_bytes = 64 << 20,
                                  .memory_high_bytes = 48 << 20,
                                  .pids = 5,
                                  .cpus = 0.5,
                                  .cpu_weight = 7,
                                  .disk_bytes = 1 << 30,
                                  .disk_read_rate = 2 << 20,
                                  .disk_write_rate = 1 << 20,
                                  .open_files = 32,
                                  .file_bytes = 3072}));
}

}  // namespace
}  // namespace sandboxctl
