#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace sandboxctl {

/// A sandbox as an object of a document. Times are RFC 3339 in UTC.
nlohmann::ordered_json info_fields(const sandbox::SandboxInfo& info);

/// The layers of isolation as an array.
nlohmann::ordered_json isolation_fields(const sandbox::Sandbox& box);

/// The table of `list`, with its head.
std::string info_table(const std::vector<sandbox::SandboxInfo>& infos,
                       std::chrono::system_clock::time_point now);

}  // namespace sandboxctl
