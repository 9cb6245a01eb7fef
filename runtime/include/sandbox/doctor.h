#pragma once

#include <string>
#include <vector>

#include "sandbox/options.h"

namespace sandbox {

/// One thing that sandboxes need, or are better with, and how this machine answers.
struct Probe {
  enum class Status { Ok, Warning, Failed };
  std::string name;  ///< "user namespace", "overlay", …
  Status status = Status::Ok;
  bool required = true;  ///< Without it no sandbox runs.
  std::string found;   ///< What happened, with numbers: "works", "clone3: Operation not permitted".
  std::string remedy;  ///< The smallest change that helps. Empty when nothing is missing.
};

/// Tries every layer for real, in throw-away processes, and says what is missing. Changes nothing
/// on the machine. Takes some 10 ms; never throws for a layer that fails.
std::vector<Probe> diagnose(const RuntimeOptions& options = {});

/// True when every required probe is Ok.
bool can_run(const std::vector<Probe>& probes);

}  // namespace sandbox
