#pragma once

#include <span>
#include <string>
#include <string_view>

#include "templates/yaml_tree.h"

namespace sandbox {

/// What a value may be.
enum class ValueKind {
  Text,           ///< Not empty, one line or more.
  Path,           ///< Absolute, inside the sandbox.
  HostPath,       ///< On the machine that builds; relative to the manifest.
  Name,           ///< Of a template: is_template_name().
  Mode,           ///< Three or four octal digits, "0755".
  Size,           ///< A number of bytes, or with K, M, G, T: powers of 1024.
  Count,          ///< A natural number above zero.
  Decimal,        ///< A number above zero: "1.5".
  Port,           ///< 1-65535.
  LocalUrl,       ///< parse_local_url().
  Duration,       ///< 500ms, 10s, 5m, 1h; a bare number is seconds.
  Choice,         ///< One of the words in `choices`.
  Words,          ///< A list of words, or one line of them.
  Variables,      ///< A map of names to values.
  Section,        ///< A map with the keys of the section of the same name.
  Steps,          ///< A list of maps with one key each, those of the section "steps".
  TextOrSection,  ///< Either; the text is the value of the section's first key.
};

/// One key of a manifest: the table of these makes the parser, its messages and the document.
struct ManifestKey {
  std::string_view section;  ///< Where it may stand; empty: at the top.
  std::string_view name;
  ValueKind kind = ValueKind::Text;
  bool required = false;
  std::string_view otherwise;  ///< What holds when it is not there, in words.
  std::string_view help;
  std::string_view choices = {};  ///< Separated by spaces.
};

std::span<const ManifestKey> manifest_keys();

/// Checks `root` against the table: unknown, missing and wrong values throw Error with EINVAL at
/// their place, naming the key, what it takes and, for an unknown one, the nearest that exists.
void check_manifest(const YamlNode& root, const std::string& file);

/// All keys as Markdown: `sandboxctl template schema`.
std::string describe_manifest();

/// "512M" and "1.5h", for values that check_manifest() has let pass.
uint64_t parse_manifest_size(std::string_view text);
uint64_t parse_manifest_milliseconds(std::string_view text);

}  // namespace sandbox
