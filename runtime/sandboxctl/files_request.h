#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/sandboxctl/files_actions.h"

namespace sandboxctl {

/// One verb below `files`.
struct FilesAction {
  const char* name;
  const char* usage;  ///< What stands behind `sandboxctl files NAME`.
  const char* help;
  size_t min_paths;
  size_t max_paths;
  bool json;   ///< It has --json.
  bool depth;  ///< It has --depth.
  void (*run)(const sandbox::Files& files, const FilesRequest& request);
};

/// `files` on a command line.
struct FilesCommand {
  const FilesAction* action = nullptr;
  FilesRequest request{};
};

/// Nothing when help was asked for and has been printed. Throws Failure (usage).
std::optional<FilesCommand> parse_files(const std::vector<std::string>& arguments);

}  // namespace sandboxctl
