// sandboxctl list: the sandboxes that live.

#include <algorithm>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/info.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/metadata.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

using Infos = std::vector<sandbox::SandboxInfo>;

constexpr const char* kListUsage = "sandboxctl list [OPTIONS]";

// Keeps those that have all of `wanted`.
void filter(Infos& infos, const std::map<std::string, std::string>& wanted) {
  std::erase_if(infos, [&wanted](const sandbox::SandboxInfo& info) {
    return !std::all_of(wanted.begin(), wanted.end(), [&info](const auto& pair) {
      const auto at = info.metadata.find(pair.first);
      return at != info.metadata.end() && at->second == pair.second;
    });
  });
}

std::string document(const Infos& infos) {
  auto sandboxes = nlohmann::ordered_json::array();
  for (const sandbox::SandboxInfo& info : infos) sandboxes.push_back(info_fields(info));
  return dump({{"sandboxes", sandboxes}});
}

std::string ids(const Infos& infos) {
  std::string text;
  for (const sandbox::SandboxInfo& info : infos) text += info.id + "\n";
  return text;
}

}  // namespace

int list(const std::vector<std::string>& arguments) {
  CLI::App app("Lists the living sandboxes made by 'sandboxctl create'.", "list");
  std::vector<std::string> filters;
  bool json = false;
  bool quiet = false;
  add_values(app, "--filter", filters, "K=V of the metadata; given several times: all of them");
  app.add_flag("--json", json, "print one JSON document");
  app.add_flag("-q,--quiet", quiet, "print the ids only");
  std::vector<std::string> rest;
  if (!parse_words(app, kListUsage, arguments, rest)) return 0;
  if (!rest.empty()) throw usage_error(rest.front(), "list takes no words", kListUsage);
  const auto wanted = parse_metadata("--filter", filters);

  Infos infos = start_runtime().list();
  filter(infos, wanted);
  if (json) {
    print_output(document(infos));
  } else {
    print_output(quiet ? ids(infos) : info_table(infos, std::chrono::system_clock::now()));
  }
  return 0;
}

}  // namespace sandboxctl
