#pragma once

#include <string>

#include "runtime/sandboxctl/arguments.h"
#include "sandbox/limits.h"

namespace sandboxctl {

/// The options of the verbs that create a sandbox which say what it may use, as they were typed.
struct LimitOptions {
  std::string memory;
  std::string pids;
  std::string cpus;
  std::string disk;
  std::string memory_high;
  std::string cpu_weight;
  std::string disk_read_rate;
  std::string disk_write_rate;
  std::string open_files;
  std::string file_size;

  void add_to(CLI::App& app);
  /// Throws Failure (usage) with what would have been right.
  sandbox::Limits parse(const CLI::App& app) const;
};

}  // namespace sandboxctl
