#include "runtime/sandboxctl/endpoint.h"

#include "runtime/sandboxctl/messages.h"

namespace sandboxctl {
namespace {

bool names_sandbox(const std::string& word) {
  return !word.empty() && word.front() != '.' && word.find('/') == std::string::npos;
}

}  // namespace

std::string Endpoint::text() const {
  if (kind == Kind::Stream) return "-";
  return kind == Kind::Sandbox ? sandbox + ":" + path : path;
}

Endpoint parse_endpoint(const std::string& argument) {
  if (argument.empty()) throw usage_error("cp", "a path is empty");
  if (argument == "-") return {.kind = Endpoint::Kind::Stream};

  const size_t colon = argument.find(':');
  const std::string before = argument.substr(0, colon);
  if (colon == std::string::npos || !names_sandbox(before)) return {.path = argument};
  const std::string path = argument.substr(colon + 1);
  if (path.empty()) {
    throw usage_error(argument, "no path behind the colon",
                      "'" + before + ":.' is the home directory, '" + before + ":/' the root");
  }
  return {.kind = Endpoint::Kind::Sandbox, .sandbox = before, .path = path};
}

}  // namespace sandboxctl
