#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sandboxctl {

using Environment = std::map<std::string, std::string>;

/// Adds what `-e` was given: `NAME=VALUE`, or `NAME` for the caller's own value (nothing happens
/// when the caller has none). Throws Failure (usage) for an empty name.
void add_variable(Environment& env, const std::string& argument);

/// Adds the lines of `text`, the content of `path`: `NAME=VALUE` taken literally (no quotes, no
/// expansion, spaces kept), `NAME` as in add_variable, empty lines and lines that begin with '#'
/// skipped. Throws Failure (125) naming the line for NUL, an empty name and white space in a name.
void add_lines(Environment& env, std::string_view text, const std::string& path);

/// Reads `path` and adds its lines. Files above 4 MiB are refused.
void add_file(Environment& env, const std::string& path);

}  // namespace sandboxctl
