#pragma once

#include <map>
#include <string>
#include <vector>

namespace sandboxctl {

/// `K=V` each; the last of equal keys counts. Throws Failure (usage) naming `option`.
std::map<std::string, std::string> parse_metadata(const char* option,
                                                  const std::vector<std::string>& pairs);

}  // namespace sandboxctl
