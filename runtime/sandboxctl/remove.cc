// sandboxctl rm and gc: the end of sandboxes, and of what they left.

#include <cerrno>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"
#include "sandbox/templates.h"

namespace sandboxctl {
namespace {

constexpr const char* kRemoveUsage = "sandboxctl rm [-f] ID... | --all";

// False when it could not be removed, which has been said.
bool remove_one(sandbox::Runtime& runtime, const std::string& id, bool force) {
  try {
    runtime.destroy(id);
  } catch (const sandbox::Error& error) {
    const int value = error.code().value();
    if (force && (value == ENOENT || value == ESRCH)) return true;
    Message message = sandbox_failure(id, error).message();
    message.doing = "removing the sandbox";
    print_error(message);
    return false;
  }
  return true;
}

}  // namespace

int rm(const std::vector<std::string>& arguments) {
  CLI::App app("Ends sandboxes, with everything that runs and is stored in them.", "rm");
  bool force = false;
  bool all = false;
  app.add_flag("-f,--force", force, "no error for what is not there");
  app.add_flag("--all", all, "all that 'sandboxctl list' shows");
  std::vector<std::string> ids;
  if (!parse_words(app, kRemoveUsage, arguments, ids)) return 0;
  if (all != ids.empty()) throw usage_error("rm", "give ids, or --all", kRemoveUsage);

  sandbox::Runtime runtime = start_runtime();
  if (all) {
    for (const sandbox::SandboxInfo& info : runtime.list()) ids.push_back(info.id);
  }
  bool removed = true;
  for (const std::string& id : ids) removed = remove_one(runtime, id, force || all) && removed;
  return removed ? 0 : kFailed;
}

int gc(const std::vector<std::string>& arguments) {
  CLI::App app(
      "Removes what killed sandboxes, imports and builds have left; prints the sandboxes' ids.",
      "gc");
  std::vector<std::string> words;
  if (!parse_words(app, "sandboxctl gc", arguments, words)) return 0;
  if (!words.empty()) throw usage_error(words.front(), "gc takes no words");
  sandbox::Templates().collect();
  std::string text;
  for (const std::string& id : start_runtime().collect()) text += id + "\n";
  print_output(text);
  return 0;
}

}  // namespace sandboxctl
