// The lines of `sandboxctl stats -f`.
#include "runtime/sandboxctl/stats_text.h"

#include <gmock/gmock.h>

namespace sandboxctl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::chrono::system_clock::time_point kMidnight{};

sandbox::SandboxStats with_cpu(std::chrono::microseconds user) {
  sandbox::SandboxStats stats;
  stats.cpu_user = user;
  stats.cpu_system = 0us;
  return stats;
}

TEST(StatsStream, ColumnsStandBelowTheirNames) {
  sandbox::SandboxStats stats;
  stats.memory_bytes = 5 << 20;
  stats.pids = 3;
  StatsStream stream;
  EXPECT_EQ(StatsStream::head(), "STATE        MEMORY       PEAK   PIDS     CPU       DISK\n");
  EXPECT_EQ(stream.line(stats, {}), "running     5.0 MiB          -      3       -          -\n");
}

TEST(StatsStream, ProcessorIsThatSinceTheLineBefore) {
  StatsStream stream;
  const StatsStream::Time begin{};
  stream.line(with_cpu(7s), begin);
  EXPECT_THAT(stream.line(with_cpu(8s), begin + 2s), HasSubstr(" 50.0%"));
  EXPECT_THAT(stream.line(with_cpu(10s), begin + 3s), HasSubstr(" 200.0%"));
}

TEST(StatsStream, DocumentIsOneLineWithTheTime) {
  StatsStream stream;
  const std::string first = stream.document(with_cpu(1s), {}, kMidnight);
  EXPECT_EQ(first.find('\n'), first.size() - 1);
  EXPECT_EQ(json::parse(first).at("time"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(json::parse(first).at("cpu_percent"), nullptr);
  const std::string second =
      stream.document(with_cpu(2s), StatsStream::Time() + 1s, kMidnight + 1s);
  EXPECT_EQ(json::parse(second).at("cpu_percent"), 100.0);
  EXPECT_EQ(json::parse(second).at("cpu_user_us"), 2'000'000);
}

}  // namespace
}  // namespace sandboxctl
