// sandboxctl doctor: what works on this machine, and how to mend the rest.

#include "sandbox/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

using Status = sandbox::Probe::Status;

struct Look {
  const char* word;
  const char* colour;
};

Look look_of(Status status) {
  switch (status) {
    case Status::Ok:
      return {"ok", kGreen};
    case Status::Warning:
      return {"warning", kYellow};
    case Status::Failed:
      return {"failed", kRed};
  }
  return {"", ""};
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string table(const std::vector<sandbox::Probe>& probes) {
  constexpr size_t kStatusWidth = 9;
  const bool colour = colour_wanted();
  size_t width = 0;
  for (const sandbox::Probe& probe : probes) width = std::max(width, probe.name.size() + 2);

  std::string text;
  for (const sandbox::Probe& probe : probes) {
    const Look look = look_of(probe.status);
    const std::string word = padded(look.word, kStatusWidth);
    text += coloured(word, look.colour, colour);
    text += padded(probe.name, width) + escape_for_terminal(probe.found) + "\n";
    if (probe.remedy.empty()) continue;
    text += std::string(kStatusWidth, ' ') + "-> " + escape_for_terminal(probe.remedy) + "\n";
  }
  return text;
}

std::string summary(const std::vector<sandbox::Probe>& probes, bool usable) {
  const auto missing = std::count_if(probes.begin(), probes.end(),
                                     [](const auto& probe) { return probe.status != Status::Ok; });
  const char* verdict = usable ? "Sandboxes can run here" : "Sandboxes cannot run here";
  if (missing == 0) return std::string(verdict) + ".\n";
  return std::string(verdict) + "; " + std::to_string(missing) + " of " +
         std::to_string(probes.size()) + " checks have a remark.\n";
}

std::string document(const std::vector<sandbox::Probe>& probes, bool usable) {
  nlohmann::ordered_json json{{"can_run", usable}, {"probes", nlohmann::ordered_json::array()}};
  for (const sandbox::Probe& probe : probes) {
    json["probes"].push_back({{"name", probe.name},
                              {"status", look_of(probe.status).word},
                              {"required", probe.required},
                              {"found", probe.found},
                              {"remedy", probe.remedy}});
  }
  return dump(json);
}

}  // namespace

int doctor(const std::vector<std::string>& arguments) {
  CLI::App app("Tries every layer of isolation for real and says what is missing.", "doctor");
  app.footer("Exit codes: 0 sandboxes can run here; 1 they cannot; 2 wrong command line.");
  bool json = false;
  app.add_flag("--json", json, "print one JSON document");
  std::vector<std::string> rest;
  if (!parse(app, "sandboxctl doctor [--json]", arguments, rest)) return 0;
  if (!rest.empty()) throw usage_error(rest.front(), "doctor takes no arguments");

  const std::vector<sandbox::Probe> probes = sandbox::diagnose();
  const bool usable = sandbox::can_run(probes);
  print_all(STDOUT_FILENO, "stdout",
            json ? document(probes, usable) : table(probes) + summary(probes, usable));
  return usable ? 0 : 1;
}

}  // namespace sandboxctl
