#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/sandboxctl/arguments.h"
#include "sandbox/limits.h"

namespace sandboxctl {

/// The options of the verbs that create a sandbox which say what it may use, as they were typed.
class LimitOptions {
 public:
  /// How many limits are whole numbers: all but --cpus.
  static constexpr size_t kWholeNumbers = 9;

  void add_to(CLI::App& app);
  /// Throws Failure (usage) with what would have been right.
  sandbox::Limits parse(const CLI::App& app) const;

 private:
  std::array<std::string, kWholeNumbers> whole_numbers_;
  std::string cpus_;
};

/// Those that are set, by the names that manifests have for them.
nlohmann::ordered_json limits_fields(const sandbox::Limits& limits);

}  // namespace sandboxctl
