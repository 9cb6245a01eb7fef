#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "templates/template_config.h"

namespace sandbox {

/// One layer of a template, and what lies in it.
struct LayerSummary {
  std::string digest;  ///< SHA-256 of its listing.
  uint64_t entries = 0;
  uint64_t bytes = 0;
};

/// A stored template: a name, layers and what goes with them. A file of the store.
struct TemplateRecord {
  std::string name;
  std::string source;    ///< As it was asked for: "oci:image:latest".
  int64_t created = 0;   ///< Seconds since the epoch.
  bool on_host = false;  ///< Its lowest layer is the machine's own /usr: `from: host`.
  /// From bottom to top. Those of a source lie below our skeleton, those of steps above it, so that
  /// what a step changed in a file of the skeleton, such as /etc/passwd, stays changed.
  std::vector<LayerSummary> base_layers;
  std::vector<LayerSummary> step_layers;
  TemplateConfig config;
  std::string manifest;  ///< The text it was built from; empty for an import.
};

/// As JSON.
std::string format_record(const TemplateRecord& record);

/// Reads what format_record() wrote. Throws Error with EBADMSG for anything else: text that is no
/// JSON, of another version, with a digest that is none, with more layers than there may be.
TemplateRecord parse_record(std::string_view text);

/// Layers on top of each other: what overlay takes with the numbers of their descriptors in 255
/// bytes of option, less the skeleton.
constexpr std::size_t kMaxLayers = 48;

/// True for 1-100 of [A-Za-z0-9._-], of which the first is a letter or digit, and not "host".
bool is_template_name(std::string_view name) noexcept;

}  // namespace sandbox
