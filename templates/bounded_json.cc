#include "templates/bounded_json.h"

#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "sandbox/error.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr std::size_t kLargest = 4 << 20;
constexpr int kDeepest = 32;

// Watches the parser: nlohmann's own takes any depth, and the last of two equal keys.
class Watcher {
 public:
  explicit Watcher(const std::string& subject) : subject_(subject) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kDeepest) throw Error(EBADMSG, "parse", subject_, "its JSON is nested too deeply");
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) {
        throw Error(EBADMSG, "parse", subject_, "the key " + key.substr(0, 80) + " is there twice");
      }
    }
    return true;
  }

 private:
  const std::string& subject_;
  std::vector<std::set<std::string>> keys_;
};

const json& empty_object() {
  static const json empty = json::object();
  return empty;
}

}  // namespace

json parse_bounded_json(std::string_view text, const std::string& subject) {
  if (text.size() > kLargest) {
    throw Error(EBADMSG, "parse", subject, "it has more than 4 MiB of JSON");
  }
  Watcher watcher(subject);
  try {
    return json::parse(text, std::ref(watcher));
  } catch (const json::exception& error) {
    throw Error(EBADMSG, "parse", subject, error.what());
  }
}

JsonReader::JsonReader(const json& value, std::string subject)
    : json_(value), subject_(std::move(subject)) {
  if (!json_.is_object()) throw Error(EBADMSG, "parse", subject_, "it is no JSON object");
}

const json* JsonReader::find(const char* key) const {
  const auto at = json_.find(key);
  return at == json_.end() || at->is_null() ? nullptr : &*at;
}

void JsonReader::refuse(const char* key, const char* what) const {
  throw Error(EBADMSG, "parse", subject_, std::string(key) + " " + what);
}

std::string JsonReader::text(const char* key) const {
  const json* const found = find(key);
  if (found == nullptr) refuse(key, "is missing");
  if (!found->is_string()) refuse(key, "is no string");
  return found->get<std::string>();
}

std::string JsonReader::text_or(const char* key, const std::string& fallback) const {
  return find(key) == nullptr ? fallback : text(key);
}

uint64_t JsonReader::number(const char* key) const {
  const json* const found = find(key);
  if (found == nullptr) refuse(key, "is missing");
  if (!found->is_number_unsigned()) refuse(key, "is no natural number");
  return found->get<uint64_t>();
}

std::optional<uint64_t> JsonReader::number_if_any(const char* key) const {
  return has(key) ? std::optional(number(key)) : std::nullopt;
}

std::optional<double> JsonReader::decimal_if_any(const char* key) const {
  const json* const found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number()) refuse(key, "is no number");
  return found->get<double>();
}

bool JsonReader::flag_or(const char* key, bool fallback) const {
  const json* const found = find(key);
  if (found == nullptr) return fallback;
  if (!found->is_boolean()) refuse(key, "is neither true nor false");
  return found->get<bool>();
}

std::vector<std::string> JsonReader::texts(const char* key) const {
  std::vector<std::string> result;
  const json* const found = find(key);
  if (found == nullptr) return result;
  if (!found->is_array()) refuse(key, "is no list");
  for (const json& item : *found) {
    if (!item.is_string()) refuse(key, "has an item that is no string");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<JsonReader> JsonReader::objects(const char* key) const {
  std::vector<JsonReader> result;
  const json* const found = find(key);
  if (found == nullptr) return result;
  if (!found->is_array()) refuse(key, "is no list");
  for (const json& item : *found) result.emplace_back(item, subject_);
  return result;
}

JsonReader JsonReader::object(const char* key) const {
  const json* const found = find(key);
  if (found != nullptr && !found->is_object()) refuse(key, "is no object");
  return {found == nullptr ? empty_object() : *found, subject_};
}

std::map<std::string, std::string> JsonReader::text_map(const char* key) const {
  std::map<std::string, std::string> result;
  const json* const found = find(key);
  if (found == nullptr) return result;
  if (!found->is_object()) refuse(key, "is no object");
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) refuse(key, "has a value that is no string");
    result[name] = value.get<std::string>();
  }
  return result;
}

}  // namespace sandbox
