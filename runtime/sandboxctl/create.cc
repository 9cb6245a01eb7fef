// sandboxctl create: make a sandbox that lives on, and print its id.

#include <unistd.h>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/build_manifest.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/metadata.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/sandbox_arguments.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

constexpr const char* kCreateUsage = "sandboxctl create [OPTIONS]";
constexpr const char* kCreateFooter =
    "It lives until 'sandboxctl rm ID', or until its --ttl is over, whoever made it. With\n"
    "--ttl-action pause it is then stopped, and 'sandboxctl resume ID' lets it go on.";

struct CreateOptions {
  sandbox::SandboxOptions sandbox;
  std::string config;  // Its template is built before.
};

std::optional<CreateOptions> parse_create(const std::vector<std::string>& arguments) {
  CLI::App app("Creates a detached sandbox and prints its id.", "create");
  app.footer(kCreateFooter);
  SandboxArguments sandbox;
  EnvironmentArguments environment;
  std::string name;
  TtlArguments ttl;
  std::vector<std::string> metadata;
  sandbox.add_to(app);
  environment.add_to(app);
  add_value(app, "--name", name, "a name to use in place of the id");
  ttl.add_to(app);
  add_values(app, "-m,--metadata", metadata, "K=V, for 'list --filter' and 'inspect'");
  std::vector<std::string> rest;
  if (!parse_words(app, kCreateUsage, arguments, rest)) return std::nullopt;
  if (!rest.empty()) {
    throw usage_error(rest.front(), "create takes no command",
                      "'sandboxctl exec ID -- CMD' runs one in it");
  }

  refuse_empty(app, "--name", name);
  CreateOptions created{.sandbox = sandbox.options(app), .config = sandbox.config()};
  sandbox::SandboxOptions& options = created.sandbox;
  options.lifetime = sandbox::Lifetime::Detached;
  options.name = name;
  ttl.add_to(options, app);
  options.metadata = parse_metadata("--metadata", metadata);
  options.env = environment.environment();
  return created;
}

}  // namespace

int create(const std::vector<std::string>& arguments) {
  const std::optional<CreateOptions> options = parse_create(arguments);
  if (!options) return 0;
  build_config(options->config);
  sandbox::Runtime runtime = start_runtime();
  sandbox::Sandbox box = create_sandbox(runtime, options->sandbox);
  try {
    print_all(STDOUT_FILENO, "stdout", box.id() + "\n");
  } catch (const Failure&) {
    box.destroy();  // Nobody knows of it.
    throw;
  }
  return 0;
}

}  // namespace sandboxctl
