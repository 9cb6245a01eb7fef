#include "isolation/cgroup_counter.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "sandbox/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace sandbox {
namespace {

constexpr std::string_view kEvents = "low 0\nhigh 3\nmax 12\noom 2\noom_kill 7\noom_group_kill 0\n";

TEST(CgroupCounter, KeyIsFoundAsAWholeWord) {
  EXPECT_EQ(find_counter(kEvents, "oom_kill"), 7U);
  EXPECT_EQ(find_counter(kEvents, "oom"), 2U);
  EXPECT_EQ(find_counter(kEvents, "kill"), 0U);
}

TEST(CgroupCounter, MaxIsNoNumber) {
  EXPECT_EQ(parse_number("max\n"), std::nullopt);
  EXPECT_EQ(parse_number(""), std::nullopt);
  EXPECT_EQ(parse_number("4096\n"), 4096U);
  EXPECT_EQ(parse_number("99999999999999999999\n"), std::nullopt);
}

TEST(CgroupCounter, ControllerIsOneOfTheWords) {
  EXPECT_TRUE(has_word("cpuset cpu io memory\n", "memory"));
  EXPECT_FALSE(has_word("cpuset io\n", "cpu"));
}

TEST(CgroupCounter, OpenFileIsReadFromItsBeginningEachTime) {
  const test::TempDir dir = test::TempDir::with({{"memory.events", std::string(kEvents)}});
  const UniqueFd file{::open(dir.path("memory.events").c_str(), O_RDONLY | O_CLOEXEC)};
  EXPECT_EQ(read_counter(file.get(), "max"), 12U);
  EXPECT_EQ(read_counter(file.get(), "max"), 12U);
}

TEST(CgroupCounter, WhatCannotBeReadCountsNothing) {
  const UniqueFd directory{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  EXPECT_EQ(read_counter(directory.get(), "oom_kill"), 0U);
  EXPECT_EQ(read_number(-1), std::nullopt);
}

TEST(CgroupCounter, SumIsThatOfAllLines) {
  constexpr std::string_view kStat = "8:0 rbytes=10 wbytes=20 dios=1\n254:0 rbytes=5 wbytes=x\n";
  EXPECT_EQ(sum_of(kStat, "rbytes"), 15U);
  EXPECT_EQ(sum_of(kStat, "wbytes"), 20U);
  EXPECT_EQ(sum_of("", "rbytes"), 0U);
}

}  // namespace
}  // namespace sandbox
