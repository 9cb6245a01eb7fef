#include "runtime/sandboxctl/metadata.h"

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {

std::map<std::string, std::string> parse_metadata(const char* option,
                                                  const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> metadata;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw usage_error(std::string(option) + " " + pair, "not KEY=VALUE");
    }
    metadata[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return metadata;
}

}  // namespace sandboxctl
