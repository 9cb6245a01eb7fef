#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "templates/template_config.h"

namespace sandbox {

// The steps of a manifest, as data. Paths are absolute, inside the sandbox, where nothing else is
// said.
struct RunStep {
  std::string command;  ///< For /bin/sh -c.
};
struct CopyStep {
  std::string from;  ///< On this machine, absolute.
  std::string to;
  std::string context;  ///< The manifest's directory.
};
struct WriteStep {
  std::string path;
  std::string content;
  mode_t mode = 0644;
};
struct RemoveStep {
  std::string path;
};
struct MkdirStep {
  std::string path;
};
struct SymlinkStep {
  std::string path;
  std::string target;
};
/// Packages by the manager of their language or system.
struct InstallStep {
  enum class Manager { Apt, Pip, Npm };
  Manager manager = Manager::Apt;
  std::vector<std::string> packages;
};
struct UserStep {
  std::string name;
};
struct WorkdirStep {
  std::string path;
};
struct EnvStep {
  std::map<std::string, std::string> env;
};
using StepAction = std::variant<RunStep, CopyStep, WriteStep, RemoveStep, MkdirStep, SymlinkStep,
                                InstallStep, UserStep, WorkdirStep, EnvStep>;

struct Step {
  StepAction action;
  std::string title;  ///< As it is shown: "run: make".
  std::string place;  ///< FILE:LINE:COLUMN.
};

/// A template as its author writes it. Values are checked; what is empty was not given.
struct Manifest {
  std::string name;
  std::string from = "host";
  std::string user;
  std::string workdir;
  std::map<std::string, std::string> env;
  std::vector<Step> steps;
  std::string start;
  std::optional<ReadyCheck> ready;
  Limits limits;
  std::string network;
  std::string profile;
  std::optional<Ids> ids;
};

/// Parses the YAML `text`. `file` names it in errors, and paths of `copy` and of `from` are
/// relative to its directory. Throws Error with EINVAL: FILE:LINE:COLUMN and what is wrong there,
/// for everything that is not exactly as manifest_schema.h has it.
Manifest parse_manifest(std::string_view text, const std::string& file);

}  // namespace sandbox
