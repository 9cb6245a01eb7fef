#include "runtime/sandboxctl/text.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>
#include <vector>

namespace sandboxctl {
namespace {

constexpr uint32_t kSmallestOfLength[] = {0, 0, 0x80, 0x800, 0x10000};

size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if ((lead & 0xE0) == 0xC0) return 2;
  if ((lead & 0xF0) == 0xE0) return 3;
  if ((lead & 0xF8) == 0xF0) return 4;
  return 0;
}

bool is_scalar(uint32_t code_point, size_t length) {
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point >= kSmallestOfLength[length] && code_point <= 0x10FFFF && !surrogate;
}

// Characters that move the cursor, start a sequence or reorder what stands around them.
bool steers_terminal(uint32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) return true;
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

std::string byte_escape(char byte) {
  char text[8];
  std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned char>(byte));
  return text;
}

std::string code_point_escape(uint32_t code_point) {
  if (code_point == '\n') return "\\n";
  if (code_point == '\t') return "\\t";
  if (code_point == '\r') return "\\r";
  char text[16];
  std::snprintf(text, sizeof text, code_point < 0x80 ? "\\x%02x" : "\\u{%04x}", code_point);
  return text;
}

}  // namespace

Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = sequence_length(lead);
  if (length == 1) return {.length = 1, .code_point = lead, .valid = true};
  if (length == 0 || text.size() < length) return {};

  uint32_t code_point = lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (byte & 0x3FU);
  }
  if (!is_scalar(code_point, length)) return {};
  return {.length = length, .code_point = code_point, .valid = true};
}

std::string escape_for_terminal(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.valid) {
      escaped += byte_escape(text[0]);
    } else if (steers_terminal(c.code_point)) {
      escaped += code_point_escape(c.code_point);
    } else {
      escaped += text.substr(0, c.length);
    }
    text.remove_prefix(c.length);
  }
  return escaped;
}

std::string escape_bytes(std::string_view bytes) {
  std::string escaped;
  while (!bytes.empty()) {
    const Character c = first_character(bytes);
    if (!c.valid) {
      escaped += byte_escape(bytes[0]);
    } else if (bytes[0] == '\\') {
      escaped += "\\\\";
    } else {
      escaped += bytes.substr(0, c.length);
    }
    bytes.remove_prefix(c.length);
  }
  return escaped;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.valid) return false;
    text.remove_prefix(c.length);
  }
  return true;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace sandboxctl
