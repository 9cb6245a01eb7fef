#include "runtime/sandboxctl/build_manifest.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/text.h"
#include "sandbox/error.h"

namespace sandboxctl {
namespace {

void print_step(const sandbox::BuildStep& step) {
  std::string line = "[";
  line.append(std::to_string(step.number)).append("/").append(std::to_string(step.count));
  line.append("] ").append(escape_for_terminal(step.title));
  line.append(step.cached ? " (unchanged)\n" : "\n");
  print_all(STDERR_FILENO, "stderr", line);
}

}  // namespace

sandbox::TemplateInfo build_manifest(const std::string& file, sandbox::BuildOptions options,
                                     ToldSteps told) {
  options.on_step = [told](const sandbox::BuildStep& step) {
    if (told == ToldSteps::All || !step.cached) print_step(step);
  };
  options.on_output = [](std::string_view chunk) { print_all(STDERR_FILENO, "stderr", chunk); };
  return sandbox::Templates().build(file, options);
}

void build_config(const std::string& file) try {
  if (!file.empty()) build_manifest(file, {}, ToldSteps::OnlyDone);
} catch (const sandbox::Error& error) {
  throw Failure(kFailed, describe("building the template of --config", error));
}

}  // namespace sandboxctl
