#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sandbox {

/// How much a source, which somebody else made, may ask of this machine.
struct ImportLimits {
  uint64_t entries = 2'000'000;
  /// Sum of the sizes of files as they appear, so that a sparse one counts in full: its digest has
  /// to read it.
  uint64_t bytes = uint64_t{64} << 30;
  std::size_t depth = 256;        ///< Components of a path.
  std::size_t path_bytes = 4095;  ///< PATH_MAX without its NUL.
  std::chrono::seconds time{3600};
};

/// What is left of the limits of one import. All functions throw Error naming the entry at which a
/// limit was passed: E2BIG (entries), EFBIG (bytes), ENAMETOOLONG (path), ETIMEDOUT.
class ImportBudget {
 public:
  explicit ImportBudget(const ImportLimits& limits = {});

  /// One more entry; also looks at the clock.
  void take_entry(const std::string& path);
  void take_bytes(uint64_t bytes, const std::string& path);
  uint64_t bytes_left() const noexcept { return limits_.bytes - bytes_; }
  uint64_t entries() const noexcept { return entries_; }

 private:
  void check_time(const std::string& path) const;

  ImportLimits limits_;
  uint64_t entries_ = 0;
  uint64_t bytes_ = 0;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace sandbox
