#include "tests/bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace sandbox::bench {

Duration Samples::percentile(double percent) const {
  std::vector<Duration> sorted = samples_;
  std::sort(sorted.begin(), sorted.end());
  const double last = static_cast<double>(sorted.size() - 1);
  return sorted.at(static_cast<std::size_t>(std::lround(last * percent / 100.0)));
}

Pair interleave(const TimedRun& measured, const TimedRun& reference, std::size_t rounds,
                Duration budget) {
  constexpr int kWarmUp = 3;
  for (int i = 0; i < kWarmUp; ++i) {
    measured();
    reference();
  }
  Pair pair;
  const Clock::time_point deadline = Clock::now() + budget;
  for (std::size_t i = 0; i < rounds && (i == 0 || Clock::now() < deadline); ++i) {
    pair.measured.add(measured());
    pair.reference.add(reference());
  }
  return pair;
}

double microseconds(Duration duration) noexcept {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace sandbox::bench
