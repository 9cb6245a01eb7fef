#include "runtime/sandboxctl/units.h"

#include <gtest/gtest.h>

namespace sandboxctl {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationTakesEachUnit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
}

TEST(Units, BareDurationIsSeconds) { EXPECT_EQ(parse_duration("7"), 7s); }

TEST(Units, DurationMayHaveAFraction) { EXPECT_EQ(parse_duration("1.5s"), 1500ms); }

TEST(Units, DurationBelowAMillisecondIsNotZero) { EXPECT_EQ(parse_duration("0.0001s"), 1ms); }

TEST(Units, SizeIsInPowersOf1024) {
  EXPECT_EQ(parse_size("64K"), 65536);
  EXPECT_EQ(parse_size("512M"), 512 << 20);
  EXPECT_EQ(parse_size("2G"), int64_t{2} << 30);
  EXPECT_EQ(parse_size("1T"), int64_t{1} << 40);
  EXPECT_EQ(parse_size("4096"), 4096);
}

TEST(Units, BadSizeIsNothing) {
  for (const char* text :
       {"", "G", "0", "0M", "-1M", "+1M", "1.5G", "10 %", "10%", "1 G", "1GB", "1KiB", "1g", "0x10",
        "1e3", "99999999999999999999", "9223372036854775807K", "8388608T"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Units, BadDurationIsNothing) {
  for (const char* text :
       {"", "s", "ms", "0", "0s", "-1", "+1", "1d", "1 s", "1s ", "1sm", "1e3", "nan", "inf",
        "0x10", "1.2.3", ".", "99999999999999999999h", "1000000h"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Units, DurationPrintsThreeDigits) {
  EXPECT_EQ(format_duration(850us), "850 us");
  EXPECT_EQ(format_duration(1250us), "1.25 ms");
  EXPECT_EQ(format_duration(12500us), "12.5 ms");
  EXPECT_EQ(format_duration(200ms), "200 ms");
  EXPECT_EQ(format_duration(2500ms), "2.50 s");
}

TEST(Units, SizePrintsPowersOf1024) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(1'258'291), "1.2 MiB");
  EXPECT_EQ(format_size(UINT64_MAX), "16.0 EiB");
}

}  // namespace
}  // namespace sandboxctl
