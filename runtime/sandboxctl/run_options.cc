#include "runtime/sandboxctl/run_options.h"

#include <filesystem>
#include <utility>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/environment.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/units.h"

namespace sandboxctl {
namespace {

// The options as they were typed.
struct Typed {
  std::string template_name = "host";
  std::string user = "user";
  std::string cwd;
  std::vector<std::string> env;
  std::vector<std::string> env_files;
  std::string timeout;
  std::vector<std::string> mounts;
  std::string profile = "default";
  std::string ids = "auto";
  std::string network = "none";
  bool stdin_passed = false;
  bool json = false;
  bool stats = false;
};

constexpr const char* kUsage = "sandboxctl run [OPTIONS] [--] CMD [ARG...]";
constexpr const char* kFooter =
    "Exit codes: the command's own; 128+N when signal N killed it; 124 time limit;\n"
    "125 nothing was run; 126 not executable; 127 not found; 2 wrong command line.\n"
    "\n"
    "--json: output that is not UTF-8 has \\xNN for each byte that is not, and \\\\ for\n"
    "a backslash; \"stdout_encoding\" is then \"escaped\" instead of \"utf-8\". The first\n"
    "16 MiB of each stream are kept; \"dropped_bytes\" tells what was beyond.";

void add_options(CLI::App& app, Typed& typed) {
  app.footer(kFooter);
  add_value(app, "-T,--template", typed.template_name, "host, or dir:PATH of an unpacked system");
  add_value(app, "-u,--user", typed.user, "who runs the command: user or root");
  add_value(app, "-w,--cwd", typed.cwd, "directory inside; default: the home directory");
  add_values(app, "-e,--env", typed.env, "K=V sets a variable; K passes the caller's value");
  add_values(app, "--env-file", typed.env_files, "file with a K=V on each line, taken literally");
  add_value(app, "--timeout", typed.timeout, "kill the command after 500ms, 10s, 5m, 1h");
  add_values(app, "-v,--mount", typed.mounts,
             "HOST:GUEST[:ro|:rw], a directory or file of the host");
  add_value(app, "--profile", typed.profile, "system calls: default, strict or dev");
  add_value(app, "--ids", typed.ids, "ids inside: auto, single or range");
  add_value(app, "--network", typed.network, "none (only lo) or host (no network isolation)");
  app.add_flag("-i", typed.stdin_passed, "pass stdin; without it the command is at end of file");
  app.add_flag("--json", typed.json, "print one JSON document in place of the output");
  app.add_flag("--stats", typed.stats, "print times and memory to stderr at the end");
}

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
constexpr Word<sandbox::Ids> kIds[] = {
    {"auto", sandbox::Ids::Auto}, {"single", sandbox::Ids::Single}, {"range", sandbox::Ids::Range}};
constexpr Word<sandbox::Network> kNetworks[] = {{"none", sandbox::Network::None},
                                                {"host", sandbox::Network::Host}};

std::chrono::milliseconds timeout_of(const std::string& text) {
  if (const auto duration = parse_duration(text)) return *duration;
  throw usage_error("--timeout " + text, "not a duration above zero, such as 500ms, 10s, 5m or 1h");
}

Environment environment_of(const Typed& typed) {
  Environment env;
  for (const std::string& path : typed.env_files) add_file(env, path);
  for (const std::string& variable : typed.env) add_variable(env, variable);
  return env;
}

sandbox::SandboxOptions sandbox_options(const Typed& typed) {
  sandbox::SandboxOptions options;
  options.template_name = typed.template_name;
  options.user = typed.user;
  options.profile = choose("--profile", typed.profile, kProfiles);
  options.ids = choose("--ids", typed.ids, kIds);
  options.network = choose("--network", typed.network, kNetworks);
  for (const std::string& mount : typed.mounts) options.mounts.push_back(parse_mount(mount));
  return options;
}

}  // namespace

std::optional<RunOptions> parse_run(const std::vector<std::string>& arguments) {
  CLI::App app("Creates a sandbox, runs one command in it and removes it.", "run");
  Typed typed;
  add_options(app, typed);
  std::vector<std::string> argv;
  if (!parse(app, kUsage, arguments, argv)) return std::nullopt;

  refuse_empty(app, "--template", typed.template_name);
  refuse_empty(app, "--user", typed.user);
  refuse_empty(app, "--cwd", typed.cwd);
  if (argv.empty()) throw usage_error("run", "no command", kUsage);
  if (argv.front().empty()) throw usage_error("run", "the command is an empty word");

  RunOptions options;
  options.sandbox = sandbox_options(typed);
  options.json = typed.json;
  options.stats = typed.stats;
  options.command.argv = std::move(argv);
  options.command.cwd = typed.cwd;
  options.command.input = typed.stdin_passed ? sandbox::Stdin::Pipe : sandbox::Stdin::Empty;
  if (app.count("--timeout") > 0) options.command.timeout = timeout_of(typed.timeout);
  options.command.env = environment_of(typed);  // Last: files are read after all of it is valid.
  return options;
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

}  // namespace sandboxctl
