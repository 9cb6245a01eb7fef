#include "runtime/sandboxctl/document.h"

#include <algorithm>

#include "runtime/sandboxctl/text.h"

namespace sandboxctl {

using nlohmann::ordered_json;

void add_bytes(ordered_json& object, std::initializer_list<BytesField> fields) {
  const bool text = std::all_of(fields.begin(), fields.end(),
                                [](const BytesField& field) { return is_utf8(field.second); });
  for (const auto& [name, bytes] : fields) {
    object[name] = text ? std::string(bytes) : escape_bytes(bytes);
  }
  object["encoding"] = text ? "utf-8" : "escaped";
}

std::string dump(const ordered_json& document) {
  return document.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::string dump_line(const ordered_json& document) {
  return document.dump(-1, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sandboxctl
