// sandboxctl template: what sandboxes start from.

#include <unistd.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/build_manifest.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/limit_options.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/table.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/units.h"
#include "runtime/sandboxctl/verbs.h"
#include "runtime/sandboxctl/whole_file.h"
#include "sandbox/templates.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;
using sandbox::TemplateInfo;
using sandbox::Templates;
using Words = std::vector<std::string>;

constexpr const char* kSources =
    "SOURCE is dir:PATH, tar:PATH, oci:PATH[:REF], docker-archive:PATH[:REF], docker://IMAGE "
    "(with\n"
    "skopeo), debian:SUITE (with mmdebstrap) or template:NAME. Files belong to you afterwards;\n"
    "set-id bits, devices, capabilities and ACLs are left out.";

std::string printable_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

uint64_t bytes_of(const TemplateInfo& info) {
  uint64_t bytes = 0;
  for (const sandbox::TemplateLayer& layer : info.layers) bytes += layer.bytes;
  return bytes;
}

ordered_json to_json(const TemplateInfo& info) {
  ordered_json layers = ordered_json::array();
  for (const sandbox::TemplateLayer& layer : info.layers) {
    layers.push_back(
        {{"digest", layer.digest}, {"entries", layer.entries}, {"bytes", layer.bytes}});
  }
  return {{"name", info.name},
          {"source", info.source},
          {"created", printable_time(info.created)},
          {"on_host", info.on_host},
          {"bytes", bytes_of(info)},
          {"layers", std::move(layers)},
          {"user", info.user},
          {"workdir", info.workdir},
          {"env", info.env},
          {"limits", limits_fields(info.limits)},
          {"ids", to_string(info.ids)},
          {"start", info.start},
          {"ready", info.ready},
          {"entrypoint", info.entrypoint},
          {"cmd", info.cmd}};
}

std::string table(const std::vector<TemplateInfo>& infos) {
  using Align = Table::Align;
  Table table({Align::Left, Align::Right, Align::Right, Align::Left, Align::Left});
  table.add({"NAME", "SIZE", "LAYERS", "CREATED", "SOURCE"});
  for (const TemplateInfo& info : infos) {
    table.add({info.name, format_size(bytes_of(info)), std::to_string(info.layers.size()),
               printable_time(info.created), escape_for_terminal(info.source)});
  }
  return table.text();
}

// Parses with the options that `app` has; exactly `count` words have to be left.
bool take(CLI::App& app, const char* usage, const Words& arguments, size_t count, Words& rest) {
  if (!parse_words(app, usage, arguments, rest)) return false;
  if (rest.size() != count) throw usage_error("template", "wrong number of arguments", usage);
  return true;
}

int import_template(const Words& arguments) {
  CLI::App app("Stores an image, archive or directory as a template.", "template import");
  app.footer(kSources);
  bool json = false;
  app.add_flag("--json", json, "print one JSON document");
  Words rest;
  if (!take(app, "sandboxctl template import [--json] SOURCE NAME", arguments, 2, rest)) return 0;
  const TemplateInfo info = Templates().import(rest[0], rest[1]);
  if (json) print_output(dump(to_json(info)));
  return 0;
}

int build_template(const Words& arguments) {
  CLI::App app("Builds a template from a manifest.", "template build");
  app.footer("'sandboxctl template schema' tells what a manifest has.");
  bool json = false;
  bool no_cache = false;
  bool force = false;
  app.add_flag("--json", json, "print one JSON document");
  app.add_flag("--no-cache", no_cache, "do all steps anew");
  app.add_flag("--force", force, "and fetch the source anew, whatever is stored");
  Words rest;
  if (!take(app, "sandboxctl template build [OPTIONS] FILE", arguments, 1, rest)) return 0;
  const TemplateInfo info = build_manifest(
      rest[0], {.use_cache = !no_cache && !force, .use_source = !force}, ToldSteps::All);
  if (json) print_output(dump(to_json(info)));
  return 0;
}

int print_schema(const Words& arguments) {
  CLI::App app("Prints all keys of a manifest as Markdown.", "template schema");
  Words rest;
  if (!take(app, "sandboxctl template schema", arguments, 0, rest)) return 0;
  print_output(Templates::manifest_schema());
  return 0;
}

int list_templates(const Words& arguments) {
  CLI::App app("Lists the stored templates.", "template list");
  bool json = false;
  app.add_flag("--json", json, "print one JSON document");
  Words rest;
  if (!take(app, "sandboxctl template list [--json]", arguments, 0, rest)) return 0;
  const std::vector<TemplateInfo> infos = Templates().list();
  ordered_json list = ordered_json::array();
  for (const TemplateInfo& info : infos) list.push_back(to_json(info));
  print_output(json ? dump({{"templates", list}}) : table(infos));
  return 0;
}

int inspect_template(const Words& arguments) {
  CLI::App app("Tells everything about one template, as JSON.", "template inspect");
  Words rest;
  if (!take(app, "sandboxctl template inspect NAME", arguments, 1, rest)) return 0;
  print_output(dump(to_json(Templates().inspect(rest[0]))));
  return 0;
}

int remove_template(const Words& arguments) {
  CLI::App app("Removes a template and the layers that no other has.", "template rm");
  constexpr const char* kTemplateUsage = "sandboxctl template rm NAME | --unused";
  bool unused = false;
  app.add_flag("--unused", unused, "all that no sandbox uses; prints their names");
  Words rest;
  if (!parse_words(app, kTemplateUsage, arguments, rest)) return 0;
  if (rest.size() != (unused ? 0 : 1)) throw usage_error("template rm", "one NAME or --unused");
  if (!unused) {
    Templates().remove(rest[0]);
    return 0;
  }
  std::string names;
  for (const std::string& name : Templates().remove_unused()) names += name + "\n";
  print_output(names);
  return 0;
}

int verify_template(const Words& arguments) {
  CLI::App app("Reads all layers of a template and compares them with their digests.",
               "template verify");
  app.footer("Exit codes: 0 everything is as it was made; 1 something differs, and is named.");
  bool json = false;
  app.add_flag("--json", json, "print one JSON document");
  Words rest;
  if (!take(app, "sandboxctl template verify [--json] NAME", arguments, 1, rest)) return 0;
  const Words differences = Templates().verify(rest[0]);
  if (json) print_output(dump({{"ok", differences.empty()}, {"differences", differences}}));
  for (const std::string& difference : differences) {
    if (!json) print_error({.doing = "verifying", .subject = rest[0], .reason = difference});
  }
  return differences.empty() ? 0 : 1;
}

int export_template(const Words& arguments) {
  CLI::App app("Writes a template as an OCI image layout in a tar archive.", "template export");
  app.footer(
      "FILE is replaced as a whole, or '-' for standard output. Other programs read it as\n"
      "oci-archive:FILE, 'template import' as oci:FILE. Prints the digest of the image, which is\n"
      "the same for the same template.");
  Words rest;
  if (!take(app, "sandboxctl template export NAME FILE", arguments, 2, rest)) return 0;
  if (rest[1] == "-") {
    Templates().export_image(rest[0], STDOUT_FILENO);
    return 0;
  }
  WholeFile file(rest[1], "template export");
  const std::string digest = Templates().export_image(rest[0], file.fd());
  file.commit();
  print_output(digest + "\n");
  return 0;
}

struct Action {
  const char* name;
  int (*run)(const Words& arguments);
  const char* help;
};

constexpr Action kActions[] = {
    {"import", import_template, "store an image, archive or directory as a template"},
    {"build", build_template, "build one from a manifest"},
    {"schema", print_schema, "what a manifest has, as Markdown"},
    {"list", list_templates, "the stored templates"},
    {"inspect", inspect_template, "layers, sizes, digests and where it came from, as JSON"},
    {"verify", verify_template, "compare what is stored with its digests"},
    {"export", export_template, "write one as an OCI image in a tar archive"},
    {"rm", remove_template, "remove one, or --unused"},
};

int print_help() {
  std::string text = "Usage: sandboxctl template ACTION [OPTIONS] ...\n\n";
  for (const Action& action : kActions) {
    std::string name = action.name;
    name.resize(10, ' ');
    text += "  " + name + action.help + "\n";
  }
  text += "\n'sandboxctl template ACTION --help' tells more.\n";
  print_output(text);
  return 0;
}

Failure unknown_action(const std::string& word) {
  Words names;
  for (const Action& action : kActions) names.emplace_back(action.name);
  const std::string near = nearest(word, names);
  return usage_error(word, near.empty() ? "no such action" : "did you mean " + near + "?",
                     "'sandboxctl template --help' lists them");
}

}  // namespace

int template_verb(const Words& arguments) {
  if (arguments.empty()) {
    throw usage_error("template", "no action", "'sandboxctl template --help' lists them");
  }
  if (arguments[0] == "-h" || arguments[0] == "--help") return print_help();
  for (const Action& action : kActions) {
    if (arguments[0] != action.name) continue;
    try {
      return action.run({arguments.begin() + 1, arguments.end()});
    } catch (const sandbox::Error& error) {
      throw Failure(kFailed, describe("template " + arguments[0], error));
    }
  }
  throw unknown_action(arguments[0]);
}

}  // namespace sandboxctl
