#pragma once

#include <string>

namespace sandboxctl {

/// One side of `cp`: `ID:/path`, a path of the host, or `-`.
struct Endpoint {
  enum class Kind { Sandbox, Host, Stream };
  Kind kind = Kind::Host;
  std::string sandbox{};  ///< Id or name.
  std::string path{};     ///< Inside, or of the host.

  /// As it was typed.
  std::string text() const;
};

/// What stands before the first ':' names a sandbox unless it has a '/' or begins with '.': a path
/// of the host with a colon takes "./" in front. Throws Failure (usage) for an empty word and an
/// empty path inside.
Endpoint parse_endpoint(const std::string& argument);

}  // namespace sandboxctl
