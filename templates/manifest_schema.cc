#include "templates/manifest_schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "templates/local_url.h"
#include "templates/template_record.h"

namespace sandbox {
namespace {

using Kind = ValueKind;

constexpr ManifestKey kKeys[] = {
    {"", "name", Kind::Name, true, "", "what the template is stored as"},
    {"", "from", Kind::Text, false, "host",
     "host, dir:PATH, tar:PATH, oci:PATH[:REF], docker-archive:PATH[:REF], docker://IMAGE, "
     "debian:SUITE or template:NAME"},
    {"", "user", Kind::Text, false, "that of `from`, else user", "who steps and commands run as"},
    {"", "workdir", Kind::Path, false, "that of `from`, else the home directory",
     "where steps and commands start"},
    {"", "env", Kind::Variables, false, "those of `from`", "variables of steps and commands"},
    {"", "steps", Kind::Steps, false, "none", "what is done, in this order; each makes a layer"},
    {"", "start", Kind::Text, false, "nothing",
     "a command for /bin/sh -c that runs when a sandbox is created, as a kept one with the tag "
     "`start`; creating fails when it fails before the sandbox is ready"},
    {"", "ready", Kind::TextOrSection, false, "as soon as `start` runs",
     "when a created sandbox counts as ready: a command, or one of the keys below"},
    {"", "limits", Kind::Section, false, "none",
     "what a sandbox may use, where its creator says nothing; steps are not limited"},
    {"", "network", Kind::Choice, false, "none",
     "of the steps and of `run --config`; whoever makes a sandbox of the template chooses its own",
     "none host"},
    {"", "profile", Kind::Choice, false, "default",
     "system calls of the steps and of `run --config`; whoever makes a sandbox of the template "
     "chooses its own",
     "default strict dev"},
    {"", "ids", Kind::Choice, false, "auto",
     "ids inside: one, or with `range` all of them, which takes subordinate ids of the builder. "
     "auto: one, and a range for the steps where one of them is `apt`. Sandboxes get a range where "
     "this says so, their creator says nothing and has subordinate ids",
     "auto single range"},

    {"steps", "run", Kind::Text, false, "",
     "a command for /bin/sh -c; under `from: host` done again when the machine's packages changed"},
    {"steps", "copy", Kind::Section, false, "",
     "files and directories of this machine, without what the file .dockerignore beside the "
     "manifest names"},
    {"steps", "write", Kind::Section, false, "", "a file with the given content"},
    {"steps", "remove", Kind::Path, false, "", "a file or directory with all that is in it"},
    {"steps", "mkdir", Kind::Path, false, "", "a directory and its parents"},
    {"steps", "symlink", Kind::Section, false, "", "a symbolic link"},
    {"steps", "apt", Kind::Words, false, "",
     "Debian packages by apt-get as root, without recommended ones; takes subordinate ids, and "
     "`network: host` to fetch them"},
    {"steps", "pip", Kind::Words, false, "", "Python packages, for the user of the step"},
    {"steps", "npm", Kind::Words, false, "", "Node packages, global"},
    {"steps", "user", Kind::Text, false, "", "who later steps run as"},
    {"steps", "workdir", Kind::Path, false, "", "where later steps start"},
    {"steps", "env", Kind::Variables, false, "", "variables of later steps and of commands"},

    {"copy", "from", Kind::HostPath, true, "", "relative to the manifest's directory"},
    {"copy", "to", Kind::Path, true, "", "what it becomes; its parents are made"},
    {"write", "path", Kind::Path, true, "", "its parents are made"},
    {"write", "content", Kind::Text, true, "", "the whole content"},
    {"write", "mode", Kind::Mode, false, "0644", "permission bits"},
    {"symlink", "path", Kind::Path, true, "", "its parents are made"},
    {"symlink", "target", Kind::Text, true, "", "what it leads to, inside"},

    {"ready", "command", Kind::Text, false, "", "a command for /bin/sh -c that exits with 0"},
    {"ready", "port", Kind::Port, false, "", "something listens on this TCP port of localhost"},
    {"ready", "file", Kind::Path, false, "", "exists"},
    {"ready", "url", Kind::LocalUrl, false, "", "answers with a status below 400"},
    {"ready", "timeout", Kind::Duration, false, "60s", "how long creating waits"},

    {"limits", "memory", Kind::Size, false, "", "bytes of memory"},
    {"limits", "memory_high", Kind::Size, false, "", "from here on memory is taken back"},
    {"limits", "pids", Kind::Count, false, "", "processes and threads"},
    {"limits", "cpus", Kind::Decimal, false, "", "processors"},
    {"limits", "cpu_weight", Kind::Count, false, "", "share when processors are short, 1-10000"},
    {"limits", "disk", Kind::Size, false, "", "bytes of changed files"},
    {"limits", "disk_read_rate", Kind::Size, false, "", "bytes a second"},
    {"limits", "disk_write_rate", Kind::Size, false, "", "bytes a second"},
    {"limits", "open_files", Kind::Count, false, "", "descriptors of each process"},
    {"limits", "file_size", Kind::Size, false, "", "bytes of each file"},
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::vector<const ManifestKey*> keys_of(std::string_view section) {
  std::vector<const ManifestKey*> keys;
  for (const ManifestKey& key : kKeys) {
    if (key.section == section) keys.push_back(&key);
  }
  return keys;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::Text:
      return "a text";
    case Kind::Path:
      return "an absolute path";
    case Kind::HostPath:
      return "a path";
    case Kind::Name:
      return "1-100 letters, digits, '.', '_' and '-'";
    case Kind::Mode:
      return "permission bits such as \"0755\"";
    case Kind::Size:
      return "a size such as 512M";
    case Kind::Count:
      return "a whole number above zero";
    case Kind::Decimal:
      return "a number above zero";
    case Kind::Port:
      return "a number from 1 to 65535";
    case Kind::LocalUrl:
      return "a URL such as http://localhost:8080/health";
    case Kind::Duration:
      return "a duration such as 500ms, 10s, 5m or 1h";
    case Kind::Choice:
      return "one of";
    case Kind::Words:
      return "a list of words";
    case Kind::Variables:
      return "a map of names and values";
    case Kind::Section:
      return "a map";
    case Kind::Steps:
      return "a list of steps, each with one key";
    case Kind::TextOrSection:
      return "a text or a map";
  }
  return "";
}

struct Unit {
  std::string_view suffix;
  double factor;
};
constexpr Unit kSizes[] = {{"", 1}, {"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}};
constexpr Unit kDurations[] = {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}};

// A number with one of the units, above zero and below 2^53.
std::optional<double> measure(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(number.size()) != unit.suffix) continue;
    value = std::ceil(value * unit.factor);
    return value >= 1 && value < 0x1p53 ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<uint64_t> natural(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value > 0 && value < (uint64_t{1} << 53) ? std::optional(value) : std::nullopt;
}

bool is_mode(std::string_view text) {
  return (text.size() == 3 || (text.size() == 4 && text[0] == '0')) &&
         text.find_first_not_of("01234567") == std::string_view::npos;
}

bool has_word(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == wanted) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

bool is_scalar_of(const ManifestKey& key, const std::string& text) {
  switch (key.kind) {
    case Kind::Path:
      return text.starts_with('/');
    case Kind::Name:
      return is_template_name(text);
    case Kind::Mode:
      return is_mode(text);
    case Kind::Size:
      return measure(text, kSizes).has_value();
    case Kind::Duration:
      return measure(text, kDurations).has_value();
    case Kind::Count:
      return natural(text).has_value();
    case Kind::Port:
      return natural(text).value_or(65536) < 65536;
    case Kind::LocalUrl:
      return parse_local_url(text).has_value();
    case Kind::Decimal:
      return measure(text, std::span(kSizes).first(1)).has_value();
    case Kind::Choice:
      return has_word(key.choices, text);
    default:
      return !text.empty();
  }
}

class Checker {
 public:
  explicit Checker(const std::string& file) : file_(file) {}

  void section(const YamlNode& node, std::string_view name) const {
    if (node.kind != YamlNode::Kind::Map) refuse_yaml(file_, node, "there has to be a map here");
    for (const auto& [key, value] : node.entries) this->value(value, find(key, name));
    for (const ManifestKey* key : keys_of(name)) {
      if (key->required && !has(node, key->name)) {
        refuse_yaml(file_, node, std::string("missing is the key ").append(key->name));
      }
    }
  }

 private:
  static bool has(const YamlNode& node, std::string_view name) {
    return std::any_of(node.entries.begin(), node.entries.end(),
                       [&](const auto& entry) { return entry.key.text == name; });
  }

  const ManifestKey& find(const YamlNode& key, std::string_view section) const {
    const ManifestKey* nearest = nullptr;
    std::size_t least = 3;  // Further away is another word.
    for (const ManifestKey* known : keys_of(section)) {
      if (known->name == key.text) return *known;
      const std::size_t distance = edit_distance(key.text.substr(0, 40), known->name);
      if (distance >= least) continue;
      least = distance;
      nearest = known;
    }
    std::ostringstream why;
    why << '`' << key.text.substr(0, 40) << "` is no key here; ";
    if (nearest != nullptr) {
      why << "did you mean `" << nearest->name << "`?";
      refuse_yaml(file_, key, why.str());
    }
    why << "known are";
    for (const ManifestKey* known : keys_of(section)) why << ' ' << known->name;
    refuse_yaml(file_, key, why.str());
  }

  [[noreturn]] void refuse(const YamlNode& node, const ManifestKey& key) const {
    std::ostringstream why;
    why << '`' << key.name << "` takes " << name_of(key.kind);
    if (!key.choices.empty()) why << ' ' << key.choices;
    refuse_yaml(file_, node, why.str());
  }

  void value(const YamlNode& node, const ManifestKey& key) const {
    switch (key.kind) {
      case Kind::Section:
        return section(node, key.name);
      case Kind::Steps:
        return steps(node, key);
      case Kind::Words:
        return words(node, key);
      case Kind::Variables:
        return variables(node, key);
      case Kind::TextOrSection:
        if (node.kind == YamlNode::Kind::Map) return section(node, key.name);
        [[fallthrough]];
      default:
        if (node.kind != YamlNode::Kind::Text || !is_scalar_of(key, node.text)) refuse(node, key);
    }
  }

  void steps(const YamlNode& node, const ManifestKey& key) const {
    if (node.kind != YamlNode::Kind::List) refuse(node, key);
    for (const YamlNode& step : node.items) {
      if (step.kind != YamlNode::Kind::Map || step.entries.size() != 1) refuse(step, key);
      section(step, key.name);
    }
  }

  void words(const YamlNode& node, const ManifestKey& key) const {
    if (node.kind == YamlNode::Kind::Text && !node.text.empty()) return;
    if (node.kind != YamlNode::Kind::List || node.items.empty()) refuse(node, key);
    for (const YamlNode& word : node.items) {
      if (word.kind != YamlNode::Kind::Text || word.text.empty()) refuse(word, key);
    }
  }

  void variables(const YamlNode& node, const ManifestKey& key) const {
    if (node.kind != YamlNode::Kind::Map) refuse(node, key);
    for (const auto& [name, text] : node.entries) {
      const bool valid = !name.text.empty() && name.text.find('=') == std::string::npos;
      if (!valid || text.kind == YamlNode::Kind::List || text.kind == YamlNode::Kind::Map) {
        refuse(name, key);
      }
    }
  }

  const std::string& file_;
};

}  // namespace

std::span<const ManifestKey> manifest_keys() { return kKeys; }

void check_manifest(const YamlNode& root, const std::string& file) {
  Checker(file).section(root, "");
}

uint64_t parse_manifest_size(std::string_view text) {
  return static_cast<uint64_t>(measure(text, kSizes).value());
}

uint64_t parse_manifest_milliseconds(std::string_view text) {
  return static_cast<uint64_t>(measure(text, kDurations).value());
}

std::string describe_manifest() {
  std::ostringstream text;
  text << "# Manifest of a template\n";
  std::string_view section = "none";
  for (const ManifestKey& key : kKeys) {
    if (key.section != section) {
      section = key.section;
      text << "\n## " << (section.empty() ? "Top" : section) << "\n\n"
           << "| key | value | without it | meaning |\n| --- | --- | --- | --- |\n";
    }
    text << "| `" << key.name << "` | " << name_of(key.kind) << (key.choices.empty() ? "" : " ")
         << key.choices << " | " << (key.required ? "an error" : key.otherwise) << " | " << key.help
         << " |\n";
  }
  return text.str();
}

}  // namespace sandbox
