#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

struct YamlEntry;

/// A YAML document as a tree, of which every node knows where it stands.
struct YamlNode {
  enum class Kind { Null, Text, List, Map };
  Kind kind = Kind::Null;
  std::string text;
  std::vector<YamlNode> items;     ///< Of a list.
  std::vector<YamlEntry> entries;  ///< Of a map, in their order; keys are text.
  int line = 1;
  int column = 1;
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

/// Throws Error with EINVAL: the subject is FILE:LINE:COLUMN, the hint says what is wrong there.
[[noreturn]] void refuse_yaml(const std::string& file, const YamlNode& at, const std::string& why);

/// Parses one document of YAML that anybody may have written. `file` names it in errors.
///
/// Throws Error with EINVAL for what is no YAML or no UTF-8, has more than one document, a key
/// twice, a tag, or an alias (nine lines of them can mean a thousand million words), is nested more
/// than 16 levels deep or has more than 1 MiB.
YamlNode parse_yaml(std::string_view text, const std::string& file);

}  // namespace sandbox
