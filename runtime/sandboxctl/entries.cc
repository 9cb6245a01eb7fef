#include "runtime/sandboxctl/entries.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>

#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/table.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;
using sandbox::EntryInfo;
using sandbox::EntryType;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const char* type_name(EntryType type) {
  switch (type) {
    case EntryType::File:
      return "file";
    case EntryType::Directory:
      return "directory";
    case EntryType::Symlink:
      return "symlink";
    case EntryType::Other:
      return "other";
  }
  return "";
}

std::string printed_time(const std::tm& parts, const char* form) {
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), form, &parts);
  return text.data();
}

std::string local_time(std::chrono::system_clock::time_point time) {
  const std::time_t when = std::chrono::floor<seconds>(time).time_since_epoch().count();
  std::tm parts{};
  ::localtime_r(&when, &parts);
  return printed_time(parts, "%Y-%m-%d %H:%M");
}

std::string octal(uint32_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

// /proc and /dev: what lies there is no part of the file system, and nothing is wrong.
std::string list_error(const EntryInfo& entry) {
  if (entry.list_error == EXDEV) return "another mount";
  return std::generic_category().message(entry.list_error);
}

// The name as it stands in lists, with what it leads to or why it could not be looked into.
std::string label(const EntryInfo& entry, bool colour) {
  std::string text = escape_for_terminal(entry.name.empty() ? entry.path : entry.name);
  if (entry.symlink_target) {
    text = coloured(text, kCyan, colour) + " -> " + escape_for_terminal(*entry.symlink_target);
  } else if (entry.type == EntryType::Directory) {
    text = coloured(text, kBlue, colour) + "/";
  }
  if (entry.list_error == 0) return text;
  return text + "  [" + list_error(entry) + "]";
}

std::string detail(const char* name, const std::string& value) {
  std::string text = name;
  text.resize(14, ' ');
  return text + escape_for_terminal(value) + "\n";
}

// How many directories lie between the top and the entry.
size_t depth_of(const EntryInfo& entry, const std::string& top) {
  const std::string prefix = top == "/" ? "" : top;
  const auto below = entry.path.begin() + static_cast<std::ptrdiff_t>(prefix.size());
  return static_cast<size_t>(std::count(below, entry.path.end(), '/')) - 1;
}

// For each entry whether another one follows in the same directory: found from the end.
std::vector<bool> followed_by_sibling(const std::vector<size_t>& depths) {
  std::vector<bool> followed(depths.size());
  std::vector<bool> open;  // By depth: an entry there comes later in this directory.
  for (size_t i = depths.size(); i-- > 0;) {
    open.resize(std::max(open.size(), depths[i] + 1), false);
    followed[i] = open[depths[i]];
    open.resize(depths[i] + 1);
    open[depths[i]] = true;
  }
  return followed;
}

}  // namespace

std::string entry_table(const std::vector<EntryInfo>& entries, bool colour) {
  using enum Table::Align;
  Table table({Left, Left, Left, Right, Left, Left});
  for (const EntryInfo& entry : entries) {
    table.add({entry.permissions, escape_for_terminal(entry.owner),
               escape_for_terminal(entry.group), format_size(entry.size),
               local_time(entry.modified_time), label(entry, colour)});
  }
  return table.text();
}

std::string entry_details(const EntryInfo& entry) {
  std::string text = detail("path", entry.path);
  text += detail("type", type_name(entry.type));
  text += detail("size", format_size(entry.size) + " (" + std::to_string(entry.size) + " bytes)");
  text += detail("mode", octal(entry.mode) + " " + entry.permissions);
  text += detail("owner", entry.owner + ":" + entry.group);
  text += detail("modified", local_time(entry.modified_time));
  if (entry.symlink_target) text += detail("leads to", *entry.symlink_target);
  for (const auto& [key, value] : entry.metadata) {
    text += detail("metadata", std::string(key).append("=").append(value));
  }
  return text;
}

std::string entry_tree(const std::string& top, const std::vector<EntryInfo>& entries, bool colour) {
  std::vector<size_t> depths;
  depths.reserve(entries.size());
  for (const EntryInfo& entry : entries) depths.push_back(depth_of(entry, top));
  const std::vector<bool> followed = followed_by_sibling(depths);

  std::string text = coloured(escape_for_terminal(top), kBlue, colour) + "\n";
  std::vector<std::string> indents{""};  // By depth.
  for (size_t i = 0; i < entries.size(); ++i) {
    indents.resize(depths[i] + 1);
    const std::string& indent = indents.back();
    text += indent + (followed[i] ? "├── " : "└── ") + label(entries[i], colour) + "\n";
    indents.push_back(indent + (followed[i] ? "│   " : "    "));
  }
  return text;
}

ordered_json entry_fields(const EntryInfo& entry) {
  ordered_json object;
  add_bytes(object, {{"name", entry.name},
                     {"path", entry.path},
                     {"symlink_target", entry.symlink_target.value_or("")}});
  if (!entry.symlink_target) object["symlink_target"] = nullptr;
  object["type"] = type_name(entry.type);
  object["size_bytes"] = entry.size;
  object["mode"] = octal(entry.mode);
  object["permissions"] = entry.permissions;
  object["owner"] = entry.owner;
  object["group"] = entry.group;
  object["modified_time"] = utc_time(entry.modified_time);
  object["metadata"] = ordered_json::object();
  for (const auto& [key, value] : entry.metadata) object["metadata"][key] = value;
  if (entry.list_error != 0) object["list_error"] = list_error(entry);
  return object;
}

std::string entry_document(const std::vector<EntryInfo>& entries) {
  ordered_json document = ordered_json::array();
  for (const EntryInfo& entry : entries) document.push_back(entry_fields(entry));
  return dump(document);
}

std::string utc_time(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<seconds>(time);
  const std::time_t when = whole.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%09ldZ",
                static_cast<long>(nanoseconds(time - whole).count()));
  return printed_time(parts, "%Y-%m-%dT%H:%M:%S") + fraction.data();
}

}  // namespace sandboxctl
