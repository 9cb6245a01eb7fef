// sandboxctl files: look at the files of a sandbox and change them.

#include <optional>

#include "runtime/sandboxctl/attached.h"
#include "runtime/sandboxctl/files_request.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {

int files(const std::vector<std::string>& arguments) {
  const std::optional<FilesCommand> command = parse_files(arguments);
  if (!command) return 0;
  const Attached box(command->action->name, command->request.id);
  command->action->run(box.files(), command->request);
  box.require_alive();
  return 0;
}

}  // namespace sandboxctl
