#pragma once

#include <string>
#include <vector>

#include "runtime/sandboxctl/endpoint.h"
#include "sandbox/files.h"

namespace sandboxctl {

/// What `cp` was asked for; exactly one side is a sandbox.
struct CopyRequest {
  Endpoint from{};
  Endpoint to{};
  bool recursively = false;
  std::string user{};
};

/// Copies between this host and `files`, with a progress line on stderr. Returns what could not be
/// copied, by path below the source. Throws Failure, and Interrupted when nothing half-written is
/// left behind.
std::vector<std::string> copy(const sandbox::Files& files, const CopyRequest& request);

}  // namespace sandboxctl
