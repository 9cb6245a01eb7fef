#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace sandbox::bench {

using Duration = std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

/// How long one thing took, many times.
class Samples {
 public:
  void add(Duration sample) { samples_.push_back(sample); }
  std::size_t size() const noexcept { return samples_.size(); }
  /// `percent` from 0 (the fastest) to 100 (the slowest). There must be a sample.
  Duration percentile(double percent) const;
  Duration median() const { return percentile(50); }

 private:
  std::vector<Duration> samples_;
};

/// Runs something once and says how long the part that counts took.
using TimedRun = std::function<Duration()>;

struct Pair {
  Samples measured;
  Samples reference;
};

/// Runs both in turns, so that whatever else the machine does hits both alike: `rounds` times, or
/// until `budget` is over. Each first runs three times for nothing.
Pair interleave(const TimedRun& measured, const TimedRun& reference, std::size_t rounds,
                Duration budget);

double microseconds(Duration duration) noexcept;

}  // namespace sandbox::bench
