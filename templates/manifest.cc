#include "templates/manifest.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>

#include "templates/manifest_schema.h"
#include "templates/yaml_tree.h"

namespace sandbox {
namespace {

namespace files = std::filesystem;
using Variables = std::map<std::string, std::string>;

const YamlNode* find(const YamlNode& map, std::string_view name) {
  for (const auto& [key, value] : map.entries) {
    if (key.text == name) return &value;
  }
  return nullptr;
}

std::string text_of(const YamlNode& map, std::string_view name) {
  const YamlNode* const node = find(map, name);
  return node == nullptr ? std::string() : node->text;
}

Variables variables_of(const YamlNode& node) {
  Variables variables;
  for (const auto& [name, value] : node.entries) variables[name.text] = value.text;
  return variables;
}

std::vector<std::string> words_of(const YamlNode& node) {
  std::vector<std::string> words;
  for (const YamlNode& item : node.items) words.push_back(item.text);
  std::istringstream line(node.text);
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

mode_t mode_of(const std::string& text) {
  mode_t mode = 0644;
  if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return mode;
}

std::string beside(const std::string& file, const std::string& path) {
  return (files::absolute(file).parent_path() / path).lexically_normal();
}

// "tar:app.tar" beside the manifest; other sources name no file, or an absolute one.
std::string resolve_source(const std::string& source, const std::string& file) {
  for (const std::string_view prefix : {"dir:", "tar:", "oci:", "docker-archive:"}) {
    if (source.starts_with(prefix)) {
      return std::string(prefix) + beside(file, source.substr(prefix.size()));
    }
  }
  return source;
}

StepAction install(InstallStep::Manager manager, const YamlNode& value) {
  return InstallStep{manager, words_of(value)};
}

StepAction action_of(const std::string& name, const YamlNode& value, const std::string& file) {
  if (name == "run") return RunStep{value.text};
  if (name == "copy") {
    return CopyStep{beside(file, text_of(value, "from")), text_of(value, "to"), beside(file, "")};
  }
  if (name == "write") {
    return WriteStep{text_of(value, "path"), text_of(value, "content"),
                     mode_of(text_of(value, "mode"))};
  }
  if (name == "remove") return RemoveStep{value.text};
  if (name == "mkdir") return MkdirStep{value.text};
  if (name == "symlink") return SymlinkStep{text_of(value, "path"), text_of(value, "target")};
  if (name == "apt") return install(InstallStep::Manager::Apt, value);
  if (name == "pip") return install(InstallStep::Manager::Pip, value);
  if (name == "npm") return install(InstallStep::Manager::Npm, value);
  if (name == "user") return UserStep{value.text};
  if (name == "workdir") return WorkdirStep{value.text};
  return EnvStep{variables_of(value)};
}

// What stands on the line, as far as it is short.
std::string title_of(const std::string& name, const YamlNode& value) {
  std::string title = name + ":";
  for (const std::string& word : words_of(value)) title += " " + word;
  for (const auto& [key, text] : value.entries) {
    if (key.text != "content") title += " " + text.text;
  }
  return title.substr(0, 100);
}

Step step_of(const YamlNode& node, const std::string& file) {
  const auto& [key, value] = node.entries.front();
  return {.action = action_of(key.text, value, file),
          .title = title_of(key.text, value),
          .place = file + ':' + std::to_string(key.line) + ':' + std::to_string(key.column)};
}

ReadyCheck ready_of(const YamlNode& node, const std::string& file) {
  ReadyCheck ready;
  if (node.kind == YamlNode::Kind::Text) {
    ready.command = node.text;
    return ready;
  }
  ready.command = text_of(node, "command");
  ready.file = text_of(node, "file");
  ready.url = text_of(node, "url");
  const std::string port = text_of(node, "port");
  if (!port.empty()) std::from_chars(port.data(), port.data() + port.size(), ready.port);
  const int kinds = (ready.command.empty() ? 0 : 1) + (ready.file.empty() ? 0 : 1) +
                    (ready.url.empty() ? 0 : 1) + (ready.port == 0 ? 0 : 1);
  if (kinds != 1) refuse_yaml(file, node, "`ready` takes one of command, port, file and url");
  const std::string timeout = text_of(node, "timeout");
  if (!timeout.empty()) ready.timeout_ms = parse_manifest_milliseconds(timeout);
  return ready;
}

Limits limits_of(const YamlNode& node) {
  Limits limits;
  for (const LimitKey& key : kLimitKeys) {
    const std::string text = text_of(node, key.name);
    if (!text.empty()) limits.*key.value = static_cast<int64_t>(parse_manifest_size(text));
  }
  const std::string cpus = text_of(node, "cpus");
  if (!cpus.empty()) std::from_chars(cpus.data(), cpus.data() + cpus.size(), limits.cpus.emplace());
  return limits;
}

}  // namespace

Manifest parse_manifest(std::string_view text, const std::string& file) {
  const YamlNode root = parse_yaml(text, file);
  check_manifest(root, file);
  Manifest manifest;
  manifest.name = text_of(root, "name");
  if (const YamlNode* from = find(root, "from")) manifest.from = resolve_source(from->text, file);
  manifest.user = text_of(root, "user");
  manifest.workdir = text_of(root, "workdir");
  if (const YamlNode* env = find(root, "env")) manifest.env = variables_of(*env);
  if (const YamlNode* steps = find(root, "steps")) {
    for (const YamlNode& step : steps->items) manifest.steps.push_back(step_of(step, file));
  }
  manifest.start = text_of(root, "start");
  if (const YamlNode* ready = find(root, "ready")) manifest.ready = ready_of(*ready, file);
  if (const YamlNode* limits = find(root, "limits")) manifest.limits = limits_of(*limits);
  manifest.network = text_of(root, "network");
  manifest.profile = text_of(root, "profile");
  manifest.ids = ids_named(text_of(root, "ids"));
  return manifest;
}

}  // namespace sandbox
