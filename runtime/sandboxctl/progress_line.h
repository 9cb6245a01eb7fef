#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "sandbox/files.h"

namespace sandboxctl {

/// One line on a terminal that tells how far a copy has come, once it takes longer than a second.
/// It is rewritten ten times a second at most, and erased at the end of the scope.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  /// Nothing is ever shown when `fd` is no terminal. `now` is for tests.
  explicit ProgressLine(int fd, std::function<Clock::time_point()> now = Clock::now);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  void update(const sandbox::TransferProgress& progress);

 private:
  int fd_;
  bool terminal_;
  std::function<Clock::time_point()> now_;
  Clock::time_point begin_;
  Clock::time_point due_;
  bool shown_ = false;
};

/// `12 files, 1.2 GiB, 300.0 MiB/s  path`, in at most `width` characters.
std::string progress_text(const sandbox::TransferProgress& progress,
                          std::chrono::duration<double> elapsed, size_t width);

}  // namespace sandboxctl
