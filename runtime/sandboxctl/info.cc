#include "runtime/sandboxctl/info.h"

#include "runtime/sandboxctl/table.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;
using Time = std::chrono::system_clock::time_point;

const char* word_for(sandbox::SandboxState state) {
  switch (state) {
    case sandbox::SandboxState::Running:
      return "running";
    case sandbox::SandboxState::Paused:
      return "paused";
    case sandbox::SandboxState::Unresponsive:
      return "unresponsive";
  }
  return "";
}

const char* word_for(sandbox::TtlAction action) {
  return action == sandbox::TtlAction::Pause ? "pause" : "kill";
}

std::string left_of(const sandbox::SandboxInfo& info, Time now) {
  return info.ends ? format_age(*info.ends - now) : "-";
}

ordered_json metadata_fields(const sandbox::SandboxInfo& info) {
  ordered_json metadata = ordered_json::object();
  for (const auto& [key, value] : info.metadata) metadata[escape_bytes(key)] = escape_bytes(value);
  return metadata;
}

}  // namespace

ordered_json info_fields(const sandbox::SandboxInfo& info) {
  ordered_json fields = {{"id", info.id},
                         {"name", info.name},
                         {"template", info.template_name},
                         {"state", word_for(info.state)},
                         {"user", info.user},
                         {"metadata", metadata_fields(info)},
                         {"created", format_utc(info.created)},
                         {"ends", nullptr},
                         {"ttl_action", word_for(info.ttl_action)},
                         {"pids", info.processes},
                         {"memory_bytes", nullptr},
                         {"host_pid", info.host_pid}};
  if (info.ends) fields["ends"] = format_utc(*info.ends);
  if (info.memory_bytes) fields["memory_bytes"] = *info.memory_bytes;
  return fields;
}

ordered_json isolation_fields(const sandbox::Sandbox& box) {
  ordered_json layers = ordered_json::array();
  for (const sandbox::IsolationLayer& layer : box.isolation()) {
    layers.push_back({{"name", layer.name},
                      {"requested", layer.requested},
                      {"effective", layer.effective},
                      {"note", layer.note}});
  }
  return layers;
}

std::string info_table(const std::vector<sandbox::SandboxInfo>& infos, Time now) {
  using Align = Table::Align;
  Table table({Align::Left, Align::Left, Align::Left, Align::Left, Align::Right, Align::Right,
               Align::Right, Align::Right});
  table.add({"ID", "NAME", "TEMPLATE", "STATE", "AGE", "TTL", "PIDS", "MEMORY"});
  for (const sandbox::SandboxInfo& info : infos) {
    table.add({info.id, info.name.empty() ? "-" : info.name,
               escape_for_terminal(info.template_name), word_for(info.state),
               format_age(now - info.created), left_of(info, now), std::to_string(info.processes),
               info.memory_bytes ? format_size(*info.memory_bytes) : "-"});
  }
  return table.text();
}

}  // namespace sandboxctl
