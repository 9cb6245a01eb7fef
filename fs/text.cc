#include "sandbox/text.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace sandbox {
namespace {

struct Character {
  size_t length = 0;  ///< In bytes; 0 when the text does not start with a well-formed character.
  uint32_t code = 0;
};

// The lead bytes of UTF-8: how many bytes follow, and the least code that needs so many.
struct Lead {
  unsigned char mask;
  unsigned char value;
  unsigned char more;
  uint32_t least;
};
constexpr std::array<Lead, 4> kLeads = {
    {{0x80, 0x00, 0, 0}, {0xE0, 0xC0, 1, 0x80}, {0xF0, 0xE0, 2, 0x800}, {0xF8, 0xF0, 3, 0x10000}}};

Character first_character(std::string_view text) noexcept {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  for (const Lead& lead : kLeads) {
    if ((byte(0) & lead.mask) != lead.value) continue;
    if (text.size() <= lead.more) return {};
    uint32_t code = byte(0) & static_cast<unsigned char>(~lead.mask);
    for (size_t at = 1; at <= lead.more; ++at) {
      if ((byte(at) & 0xC0) != 0x80) return {};
      code = code << 6 | (byte(at) & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < lead.least || code > 0x10FFFF || surrogate) return {};
    return {static_cast<size_t>(lead.more) + 1, code};
  }
  return {};
}

struct Range {
  uint32_t first;
  uint32_t last;
};
constexpr std::array<Range, 9> kUnshowable = {{
    {0x00, 0x1F},        // C0 controls.
    {0x7F, 0x9F},        // DEL and C1 controls; 0x9B starts escape sequences like ESC [.
    {0xAD, 0xAD},        // Soft hyphen: invisible.
    {0x200B, 0x200F},    // Zero-width characters and direction marks.
    {0x2028, 0x202E},    // Line separators; overrides that reorder what follows.
    {0x2060, 0x206F},    // Invisible operators, isolates.
    {0xFEFF, 0xFEFF},    // Byte order mark: invisible.
    {0xFFF9, 0xFFFB},    // Interlinear annotation.
    {0xE0000, 0xE0FFF},  // Tags: invisible text.
}};

bool is_showable(uint32_t code) noexcept {
  for (const Range& range : kUnshowable) {
    if (code >= range.first && code <= range.last) return false;
  }
  return true;
}

std::string format(const char* pattern, uint32_t value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), pattern, value);
  return text.data();
}

}  // namespace

std::string escape_for_terminal(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const Character character = first_character(bytes);
    const size_t length = character.length == 0 ? 1 : character.length;
    if (character.length == 0) {
      text += format("\\x%02x", static_cast<unsigned char>(bytes.front()));
    } else if (character.code == '\\') {
      text += "\\\\";
    } else if (is_showable(character.code)) {
      text += bytes.substr(0, length);
    } else {
      text += format(character.code < 0x80 ? "\\x%02x" : "\\u{%x}", character.code);
    }
    bytes.remove_prefix(length);
  }
  return text;
}

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const size_t length = first_character(bytes).length;
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string text;
  while (!bytes.empty()) {
    const size_t length = first_character(bytes).length;
    if (length == 0 || bytes.front() == '%') {
      text += format("%%%02X", static_cast<unsigned char>(bytes.front()));
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

}  // namespace sandbox
