#include "runtime/box_record.h"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sandbox/error.h"
#include "sandbox/text.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

json text(const std::string& bytes) {
  if (is_utf8(bytes)) return bytes;
  return {{"hex", to_hex(bytes)}};
}

std::string to_text(const json& value) {
  return value.is_object() ? from_hex(value.at("hex")) : value.get<std::string>();
}

using Texts = std::map<std::string, std::string>;

json texts(const Texts& values) {
  json pairs = json::array();
  for (const auto& [key, value] : values) pairs.push_back({text(key), text(value)});
  return pairs;
}

Texts to_texts(const json& pairs) {
  Texts values;
  for (const json& pair : pairs) values.emplace(to_text(pair.at(0)), to_text(pair.at(1)));
  return values;
}

json write_users(const std::map<std::string, CommandUser>& all) {
  json result = json::array();
  for (const auto& [name, user] : all) {
    result.push_back({{"name", text(name)},
                      {"uid", user.uid},
                      {"gid", user.gid},
                      {"groups", user.groups},
                      {"home", text(user.home)}});
  }
  return result;
}

std::map<std::string, CommandUser> to_users(const json& all) {
  std::map<std::string, CommandUser> result;
  for (const json& user : all) {
    result.emplace(to_text(user.at("name")), CommandUser{.uid = user.at("uid"),
                                                         .gid = user.at("gid"),
                                                         .groups = user.at("groups"),
                                                         .home = to_text(user.at("home"))});
  }
  return result;
}

json ranges(const std::vector<IdNames::Range>& all) {
  json result = json::array();
  for (const IdNames::Range& range : all) {
    result.push_back({range.inside, range.outside, range.count});
  }
  return result;
}

std::vector<IdNames::Range> to_ranges(const json& all) {
  std::vector<IdNames::Range> result;
  for (const json& range : all) result.push_back({range.at(0), range.at(1), range.at(2)});
  return result;
}

json id_names(const std::map<uint32_t, std::string>& names) {
  json result = json::array();
  for (const auto& [id, name] : names) result.push_back({id, text(name)});
  return result;
}

std::map<uint32_t, std::string> to_id_names(const json& names) {
  std::map<uint32_t, std::string> result;
  for (const json& name : names) result.emplace(name.at(0), to_text(name.at(1)));
  return result;
}

json write_layers(const std::vector<IsolationLayer>& all) {
  json result = json::array();
  for (const IsolationLayer& layer : all) {
    result.push_back({layer.name, layer.requested, layer.effective, text(layer.note)});
  }
  return result;
}

std::vector<IsolationLayer> to_layers(const json& all) {
  std::vector<IsolationLayer> result;
  for (const json& layer : all) {
    result.push_back({layer.at(0), layer.at(1), layer.at(2), to_text(layer.at(3))});
  }
  return result;
}

json write_limits(const KnownLimits& limits) {
  return {{"memory_bytes", limits.memory_bytes},
          {"pids", limits.pids},
          {"disk_bytes", limits.disk_bytes}};
}

constexpr const char* kPause = "pause";

json write_ttl_action(TtlAction action) { return action == TtlAction::Pause ? kPause : "kill"; }

TtlAction to_ttl_action(const json& word) {
  return word == kPause ? TtlAction::Pause : TtlAction::Kill;
}

KnownLimits to_limits(const json& limits) {
  return {.memory_bytes = limits.at("memory_bytes"),
          .pids = limits.at("pids"),
          .disk_bytes = limits.at("disk_bytes")};
}

BoxRecord read(const json& document) {
  if (document.at("version").get<int>() > kVersion) {
    throw Error(EPROTO, "read", "sandbox record", "a later version of sandboxctl has written it");
  }
  BoxRecord record;
  record.id = document.at("id");
  record.name = document.at("name");
  record.template_name = to_text(document.at("template"));
  record.metadata = to_texts(document.at("metadata"));
  record.created_ms = document.at("created_ms");
  record.default_user = to_text(document.at("user"));
  record.default_cwd = to_text(document.at("cwd"));
  record.env = to_texts(document.at("env"));
  record.users = to_users(document.at("users"));
  record.names.uids = to_ranges(document.at("uid_map"));
  record.names.gids = to_ranges(document.at("gid_map"));
  record.names.users = to_id_names(document.at("user_names"));
  record.names.groups = to_id_names(document.at("group_names"));
  record.volumes = document.at("volumes").get<std::vector<uint64_t>>();
  record.layers = to_layers(document.at("isolation"));
  record.cgroup = document.at("cgroup");
  record.limits = to_limits(document.at("limits"));
  record.ttl_action = to_ttl_action(document.at("ttl_action"));
  record.box_directory = to_text(document.at("box_directory"));
  return record;
}

}  // namespace

std::string BoxRecord::to_json() const {
  const json document = {{"version", kVersion},
                         {"id", id},
                         {"name", name},
                         {"template", text(template_name)},
                         {"metadata", texts(metadata)},
                         {"created_ms", created_ms},
                         {"user", text(default_user)},
                         {"cwd", text(default_cwd)},
                         {"env", texts(env)},
                         {"users", write_users(users)},
                         {"uid_map", ranges(names.uids)},
                         {"gid_map", ranges(names.gids)},
                         {"user_names", id_names(names.users)},
                         {"group_names", id_names(names.groups)},
                         {"volumes", volumes},
                         {"isolation", write_layers(layers)},
                         {"cgroup", cgroup},
                         {"limits", write_limits(limits)},
                         {"ttl_action", write_ttl_action(ttl_action)},
                         {"box_directory", text(box_directory)}};
  return document.dump(1) + "\n";
}

BoxRecord BoxRecord::from_json(std::string_view text) {
  try {
    return read(json::parse(text));
  } catch (const json::exception& error) {
    throw Error(EBADMSG, "read", "sandbox record", error.what());
  } catch (const std::logic_error& error) {  // Of from_hex.
    throw Error(EBADMSG, "read", "sandbox record", error.what());
  }
}

}  // namespace sandbox
