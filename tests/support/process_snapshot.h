#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace sandbox::test {

/// What a sandbox could leave behind in or around the embedding process, at one moment.
///
/// Holds a line for each process and zombie below the program of tests (orphans included, see
/// main.cc) and for each of their mount namespaces, for each thread and descriptor of this process,
/// each mount in our own mount namespace and each entry below the given directories. Other programs
/// on the machine, such as tests that run at the same time, do not show.
class ProcessSnapshot {
 public:
  static ProcessSnapshot take(const std::vector<std::string>& directories = {});

  /// What `later` has more ("+ process 12 (sleep)") and less ("- fd 3 -> /tmp/x"), a line each;
  /// empty when nothing changed.
  std::string difference_to(const ProcessSnapshot& later) const;

 private:
  std::set<std::string> lines_;
};

/// Expects that at the end of the scope everything is as it was at its start.
///
///     const LeakCheck nothing_left({data_directory});
///
/// Polls, because the kernel frees namespaces and reaps after the fact; fails the test with the
/// difference when it is still there at the deadline.
class LeakCheck {
 public:
  explicit LeakCheck(std::vector<std::string> directories = {},
                     std::chrono::milliseconds deadline = std::chrono::seconds(5));
  LeakCheck(const LeakCheck&) = delete;
  LeakCheck& operator=(const LeakCheck&) = delete;
  ~LeakCheck();

  /// Waits until nothing differs; the difference at the deadline otherwise.
  std::string difference() const;

 private:
  std::vector<std::string> directories_;
  std::chrono::milliseconds deadline_;
  ProcessSnapshot before_;
};

}  // namespace sandbox::test
