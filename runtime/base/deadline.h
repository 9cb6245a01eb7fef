#pragma once

#include <algorithm>
#include <chrono>

namespace sandbox {

/// The moment `timeout` after `from`, CLOCK_MONOTONIC; time_point::max(), which is never, for what
/// the clock cannot hold: milliseconds::max() is how a caller says "for ever", and added to the
/// present it would overflow into the past.
inline std::chrono::steady_clock::time_point deadline_after(
    std::chrono::milliseconds timeout,
    std::chrono::steady_clock::time_point from = std::chrono::steady_clock::now()) noexcept {
  using Clock = std::chrono::steady_clock;
  const auto most = std::chrono::floor<std::chrono::milliseconds>(Clock::time_point::max() - from);
  return timeout > most ? Clock::time_point::max()
                        : from + std::max(timeout, std::chrono::milliseconds(-1));
}

/// For poll(2) and epoll_wait(2): rounded up, so that the deadline is over when they wake for it;
/// an hour at most, and -1 for never.
inline int milliseconds_until(std::chrono::steady_clock::time_point deadline) noexcept {
  using Clock = std::chrono::steady_clock;
  if (deadline == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 3'600'000));
}

}  // namespace sandbox
