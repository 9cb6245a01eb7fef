#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace sandboxctl {

/// A field of a document, whose bytes a sandbox has chosen.
using BytesField = std::pair<const char*, std::string_view>;

/// Adds `fields` and "encoding": "utf-8" when all of them are, else "escaped" (escape_bytes).
void add_bytes(nlohmann::ordered_json& object, std::initializer_list<BytesField> fields);

/// `document` in ASCII: what steers a terminal (ESC, C1, bidirectional marks) is \u-escaped. Bytes
/// that are not UTF-8, where nobody has escaped them, become U+FFFD.
std::string dump(const nlohmann::ordered_json& document);
/// The same on one line. Both end with a newline.
std::string dump_line(const nlohmann::ordered_json& document);

}  // namespace sandboxctl
