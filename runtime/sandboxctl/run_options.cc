#include "runtime/sandboxctl/run_options.h"

#include <utility>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/command_arguments.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/sandbox_arguments.h"

namespace sandboxctl {
namespace {

constexpr const char* kUsage = "sandboxctl run [OPTIONS] [--] CMD [ARG...]";
constexpr const char* kFooter =
    "Exit codes: the command's own; 128+N when signal N killed it; 124 time limit;\n"
    "137 with \"out of memory\" on stderr when the memory limit killed it;\n"
    "125 nothing was run; 126 not executable; 127 not found; 2 wrong command line.\n"
    "\n"
    "--json: output that is not UTF-8 has \\xNN for each byte that is not, and \\\\ for\n"
    "a backslash; \"stdout_encoding\" is then \"escaped\" instead of \"utf-8\". The first\n"
    "16 MiB of each stream are kept; \"dropped_bytes\" tells what was beyond.";

}  // namespace

std::optional<RunOptions> parse_run(const std::vector<std::string>& arguments) {
  CLI::App app("Creates a sandbox, runs one command in it and removes it.", "run");
  app.footer(kFooter);
  SandboxArguments sandbox;
  CommandArguments command;
  RunOptions options;
  sandbox.add_to(app);
  command.add_to(app);
  app.add_flag("--json", options.json, "print one JSON document in place of the output");
  app.add_flag("--explain", options.explain,
               "print to stderr what isolates and limits the command");
  app.add_flag("--stats", options.stats, "print times and memory to stderr at the end");
  std::vector<std::string> argv;
  if (!parse(app, kUsage, arguments, argv)) return std::nullopt;

  options.sandbox = sandbox.options(app);
  options.config = sandbox.config();
  options.command = command.command(app, std::move(argv), kUsage);
  if (options.json && options.command.terminal) {
    throw usage_error("--json", "it takes the output that -t is to show", "leave one of them out");
  }
  return options;
}

}  // namespace sandboxctl
