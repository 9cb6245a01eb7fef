// sandboxctl inspect: all that is known of one sandbox.

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/info.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {

int inspect(const std::vector<std::string>& arguments) {
  constexpr const char* kInspectUsage = "sandboxctl inspect ID";
  CLI::App app("Prints what is known of a sandbox as one JSON document.", "inspect");
  std::vector<std::string> words;
  if (!parse_words(app, kInspectUsage, arguments, words)) return 0;
  if (words.size() != 1) throw usage_error("inspect", "it takes one sandbox", kInspectUsage);

  sandbox::Runtime runtime = start_runtime();
  const sandbox::Sandbox box = attach_sandbox(runtime, words.front());
  nlohmann::ordered_json document = info_fields(box.info());
  document["isolation"] = isolation_fields(box);
  print_output(dump(document));
  return 0;
}

}  // namespace sandboxctl
