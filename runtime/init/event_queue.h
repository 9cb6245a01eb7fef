#pragma once

#include <array>
#include <span>

#include "sandbox/unique_fd.h"

namespace sandbox {

/// Waits for descriptors to become readable: epoll(7).
class EventQueue {
 public:
  EventQueue();

  void watch(int fd);
  void unwatch(int fd);

  /// Those that are readable, until the next call; after at most so long, -1: however long it
  /// takes. None after a signal. Whoever handles one may close another of them, so reading must not
  /// wait.
  std::span<const int> wait(int timeout_ms);

 private:
  UniqueFd epoll_;
  std::array<int, 64> ready_{};
};

}  // namespace sandbox
