// sandboxctl pause and resume: whether a sandbox runs.

#include <optional>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/sandbox_arguments.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

// The sandbox that is the only word of `arguments`; nothing when help was asked for.
std::optional<std::string> parse_id(CLI::App& app, const char* usage,
                                    const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  if (!parse_words(app, usage, arguments, words)) return std::nullopt;
  if (words.size() != 1) throw usage_error(app.get_name(), "it takes one sandbox", usage);
  return words.front();
}

Failure control_failure(const char* doing, const std::string& id, const sandbox::Error& error) {
  Message message = describe(doing, error);
  message.subject = id;
  return {kFailed, message};
}

}  // namespace

int pause(const std::vector<std::string>& arguments) {
  CLI::App app("Stops everything in a sandbox until 'sandboxctl resume'.", "pause");
  const auto id = parse_id(app, "sandboxctl pause ID", arguments);
  if (!id) return 0;
  sandbox::Runtime runtime = start_runtime();
  sandbox::Sandbox box = attach_sandbox(runtime, *id);
  try {
    box.pause();
  } catch (const sandbox::Error& error) {
    throw control_failure("pausing", *id, error);
  }
  return 0;
}

int resume(const std::vector<std::string>& arguments) {
  CLI::App app("Lets a paused sandbox go on.", "resume");
  const auto id = parse_id(app, "sandboxctl resume ID", arguments);
  if (!id) return 0;
  sandbox::Runtime runtime = start_runtime();
  sandbox::Sandbox box = attach_sandbox(runtime, *id);
  try {
    box.resume();
  } catch (const sandbox::Error& error) {
    throw control_failure("resuming", *id, error);
  }
  return 0;
}

}  // namespace sandboxctl
