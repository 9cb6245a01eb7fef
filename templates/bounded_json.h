#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

/// Parses JSON of unknown origin: at most 4 MiB, 32 levels deep, without duplicate keys. Throws
/// Error with EBADMSG, `subject` and the place in the text.
nlohmann::json parse_bounded_json(std::string_view text, const std::string& subject);

/// Typed access that says what is wrong. All throw Error with EBADMSG naming `key`.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& json, std::string subject);

  /// False where it is absent or null.
  bool has(const char* key) const { return find(key) != nullptr; }

  std::string text(const char* key) const;
  std::string text_or(const char* key, const std::string& fallback) const;
  uint64_t number(const char* key) const;
  /// Nothing where it is absent.
  std::optional<uint64_t> number_if_any(const char* key) const;
  std::optional<double> decimal_if_any(const char* key) const;
  bool flag_or(const char* key, bool fallback) const;
  /// Absent and null are empty.
  std::vector<std::string> texts(const char* key) const;
  /// Of an array of objects; absent and null are empty.
  std::vector<JsonReader> objects(const char* key) const;
  /// An object; absent and null are an empty one.
  JsonReader object(const char* key) const;
  std::map<std::string, std::string> text_map(const char* key) const;

 private:
  const nlohmann::json* find(const char* key) const;
  [[noreturn]] void refuse(const char* key, const char* what) const;

  const nlohmann::json& json_;
  std::string subject_;
};

}  // namespace sandbox
