#include "templates/layer_entry.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <vector>

#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::string_view kXattrIndent = " ";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte != '\\' && byte != 0x7f) {
      result += c;
      continue;
    }
    char octal[8];
    std::snprintf(octal, sizeof octal, "\\%03o", byte);
    result += octal;
  }
  return result.empty() ? "\\" : result;  // A lone backslash: an empty field.
}

[[noreturn]] void refuse(std::string_view text) {
  throw Error(EBADMSG, "parse", text.substr(0, 80), "the listing of a layer is damaged");
}

std::string unescaped(std::string_view text) {
  if (text == "\\") return {};
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      result += text[at];
      continue;
    }
    unsigned byte = 0;
    const char* const digits = text.data() + at + 1;
    if (text.size() - at < 4) refuse(text);
    const auto [end, error] = std::from_chars(digits, digits + 3, byte, 8);
    if (error != std::errc{} || end != digits + 3 || byte > 0xff) refuse(text);
    result += static_cast<char>(byte);
    at += 3;
  }
  return result;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find(' ', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return fields;
    begin = end + 1;
  }
}

template <typename T>
T to_number(std::string_view text, int base = 10) {
  T number{};
  const char* const stop = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), stop, number, base);
  if (error != std::errc{} || end != stop) refuse(text);
  return number;
}

LayerEntry::Type type_of(std::string_view text) {
  if (text.size() != 1 || std::string_view("dofhlw").find(text[0]) == std::string_view::npos) {
    refuse(text);
  }
  return static_cast<LayerEntry::Type>(text[0]);
}

void parse_xattr(std::string_view line, Xattrs& xattrs) {
  const std::vector<std::string_view> field = fields_of(line);
  if (field.size() != 2) refuse(line);
  xattrs[unescaped(field[0])] = unescaped(field[1]);
}

LayerEntry parse_first_line(std::string_view line) {
  const std::vector<std::string_view> field = fields_of(line);
  if (field.size() != 9) refuse(line);
  LayerEntry entry;
  entry.type = type_of(field[0]);
  entry.status.mode = to_number<mode_t>(field[1], 8);
  entry.status.uid = to_number<uint32_t>(field[2]);
  entry.status.gid = to_number<uint32_t>(field[3]);
  entry.status.modified.tv_sec = to_number<time_t>(field[4]);
  entry.status.modified.tv_nsec = to_number<long>(field[5]);
  entry.size = to_number<uint64_t>(field[6]);
  entry.content = unescaped(field[7]);
  entry.path = unescaped(field[8]);
  return entry;
}

}  // namespace

mode_t stored_mode(mode_t mode, bool directory) noexcept {
  constexpr mode_t kSticky = 01000;
  return directory ? (mode & (0777 | kSticky)) | 0700 : (mode & 0777) | 0400;
}

bool is_kept_xattr(std::string_view name) noexcept {
  return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

std::string format_entry(const LayerEntry& entry) {
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, " %04o %u %u %lld %ld %llu ", entry.status.mode,
                entry.status.uid, entry.status.gid,
                static_cast<long long>(entry.status.modified.tv_sec),
                static_cast<long>(entry.status.modified.tv_nsec),
                static_cast<unsigned long long>(entry.size));
  std::string text(1, static_cast<char>(entry.type));
  text += numbers;
  text += escaped(entry.content) + ' ' + escaped(entry.path) + '\n';
  for (const auto& [name, value] : entry.status.xattrs) {
    text.append(kXattrIndent).append(escaped(name)) += ' ' + escaped(value) + '\n';
  }
  return text;
}

LayerEntry parse_entry(std::string_view text) {
  std::optional<LayerEntry> entry;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) refuse(text);
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!line.starts_with(kXattrIndent)) {
      if (entry) refuse(line);
      entry = parse_first_line(line);
    } else if (entry) {
      parse_xattr(line.substr(kXattrIndent.size()), entry->status.xattrs);
    }
  }
  if (!entry) refuse(text);
  return *std::move(entry);
}

std::string_view take_entry(std::string_view& listing) noexcept {
  std::size_t end = 0;
  do {
    end = listing.find('\n', end);
    end = end == std::string_view::npos ? listing.size() : end + 1;
  } while (end < listing.size() && listing.substr(end).starts_with(kXattrIndent));
  const std::string_view text = listing.substr(0, end);
  listing.remove_prefix(end);
  return text;
}

}  // namespace sandbox
