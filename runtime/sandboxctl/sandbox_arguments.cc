#include "runtime/sandboxctl/sandbox_arguments.h"

#include <filesystem>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/environment.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/units.h"
#include "sandbox/templates.h"

namespace sandboxctl {
namespace {

template <typename T>
struct Word {
  const char* text;
  T value;
};

template <typename T, size_t N>
T choose(const char* option, const std::string& text, const Word<T> (&words)[N]) {
  std::string known;
  for (const Word<T>& word : words) {
    if (text == word.text) return word.value;
    known += (known.empty() ? "" : ", ") + std::string(word.text);
  }
  throw usage_error(std::string(option) + " " + text, "not one of " + known);
}

constexpr Word<sandbox::Profile> kProfiles[] = {{"default", sandbox::Profile::Default},
                                                {"strict", sandbox::Profile::Strict},
                                                {"dev", sandbox::Profile::Dev}};
constexpr Word<sandbox::Ids> kIds[] = {{to_string(sandbox::Ids::Auto), sandbox::Ids::Auto},
                                       {to_string(sandbox::Ids::Single), sandbox::Ids::Single},
                                       {to_string(sandbox::Ids::Range), sandbox::Ids::Range}};
constexpr Word<sandbox::Network> kNetworks[] = {{"none", sandbox::Network::None},
                                                {"host", sandbox::Network::Host}};
constexpr Word<sandbox::TtlAction> kTtlActions[] = {{"kill", sandbox::TtlAction::Kill},
                                                    {"pause", sandbox::TtlAction::Pause}};

sandbox::SandboxOptions configured(const std::string& file) try {
  return sandbox::Templates::sandbox_options(file);
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, describe("reading --config", error));
}

}  // namespace

void SandboxArguments::add_to(CLI::App& app) {
  add_value(app, "-T,--template", template_name_,
            "host, dir:PATH of an unpacked system, or a stored one");
  add_value(app, "--config", config_,
            "a manifest: its template is built, and a sandbox made as it says");
  add_value(app, "-u,--user", user_, "who runs commands; default: the template's, else user");
  add_values(app, "-v,--mount", mounts_, "HOST:GUEST[:ro|:rw], a directory or file of the host");
  add_value(app, "--profile", profile_, "system calls: default, strict or dev");
  add_value(app, "--ids", ids_, "ids inside: auto, single or range");
  add_value(app, "--network", network_, "none (only lo) or host (no network isolation)");
  limits_.add_to(app);
  app.add_flag("--no-start", no_start_, "leave the template's start command out");
  app.add_flag("--no-template-limits", no_template_limits_, "and the limits of the template");
}

sandbox::SandboxOptions SandboxArguments::options(const CLI::App& app) const {
  refuse_empty(app, "--template", template_name_);
  refuse_empty(app, "--user", user_);
  const sandbox::Profile profile = choose("--profile", profile_, kProfiles);
  const sandbox::Ids ids = choose("--ids", ids_, kIds);
  const sandbox::Network network = choose("--network", network_, kNetworks);
  const bool has_config = app.count("--config") > 0;
  if (has_config && app.count("--template") > 0) {
    throw usage_error("--config", "its manifest is the template", "leave --template out");
  }
  sandbox::SandboxOptions options;
  options.template_name = template_name_;
  if (has_config) options = configured(config_);
  if (app.count("--profile") > 0) options.profile = profile;
  if (app.count("--ids") > 0) options.ids = ids;
  if (app.count("--network") > 0) options.network = network;
  options.user = user_;
  options.limits = limits_.parse(app);
  options.with_template_limits = !no_template_limits_;
  options.with_start = !no_start_;
  for (const std::string& mount : mounts_) options.mounts.push_back(parse_mount(mount));
  return options;
}

void EnvironmentArguments::add_to(CLI::App& app) {
  add_values(app, "-e,--env", env_, "K=V sets a variable; K passes the caller's value");
  add_values(app, "--env-file", env_files_, "file with a K=V on each line, taken literally");
}

std::map<std::string, std::string> EnvironmentArguments::environment() const {
  Environment env;
  for (const std::string& path : env_files_) add_file(env, path);
  for (const std::string& variable : env_) add_variable(env, variable);
  return env;
}

void TtlArguments::add_to(CLI::App& app) {
  add_value(app, "--ttl", ttl_, "end it after 10s, 5m, 1h");
  add_value(app, "--ttl-action", action_,
            "what happens then: kill, or pause until 'resume', which begins the same time anew");
}

void TtlArguments::add_to(sandbox::SandboxOptions& options, const CLI::App& app) const {
  if (app.count("--ttl") > 0) options.ttl = duration_of("--ttl", ttl_);
  if (app.count("--ttl-action") == 0) return;
  options.ttl_action = choose("--ttl-action", action_, kTtlActions);
  if (!options.ttl) throw usage_error("--ttl-action", "nothing happens without --ttl");
}

sandbox::Mount parse_mount(const std::string& argument) {
  std::string_view text = argument;
  sandbox::Mount mount;
  mount.access = sandbox::Access::ReadWrite;
  if (text.ends_with(":ro")) mount.access = sandbox::Access::ReadOnly;
  if (text.ends_with(":ro") || text.ends_with(":rw")) text.remove_suffix(3);

  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    throw usage_error("--mount " + argument, "not HOST:GUEST, HOST:GUEST:ro or HOST:GUEST:rw");
  }
  mount.target = text.substr(colon + 1);
  if (!mount.target.starts_with('/')) {
    throw usage_error("--mount " + argument, "the path inside must be absolute");
  }
  mount.source = std::filesystem::absolute(std::string(text.substr(0, colon)));
  return mount;
}

std::chrono::milliseconds duration_of(const char* option, const std::string& text) {
  if (const auto duration = parse_duration(text)) return *duration;
  throw usage_error(std::string(option) + " " + text,
                    "not a duration above zero, such as 500ms, 10s, 5m or 1h");
}

}  // namespace sandboxctl
