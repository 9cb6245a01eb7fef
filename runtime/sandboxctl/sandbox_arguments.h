#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "runtime/sandboxctl/limit_options.h"
#include "sandbox/options.h"

namespace sandboxctl {

/// The options of `run` and `create` that say what a sandbox is made of.
class SandboxArguments {
 public:
  /// Binds the options; this object must outlive the parsing.
  void add_to(CLI::App& app);

  /// What was typed, on top of what the file of --config says. Throws Failure.
  sandbox::SandboxOptions options(const CLI::App& app) const;

  /// The manifest of --config, whose template has to be built first; or empty.
  const std::string& config() const noexcept { return config_; }

 private:
  std::string config_;
  std::string template_name_ = "host";
  std::string user_;
  std::vector<std::string> mounts_;
  std::string profile_ = "default";
  std::string ids_ = "auto";
  std::string network_ = "none";
  bool no_start_ = false;
  bool no_template_limits_ = false;
  LimitOptions limits_;
};

/// The options -e and --env-file.
class EnvironmentArguments {
 public:
  void add_to(CLI::App& app);
  /// Reads the files. Throws Failure.
  std::map<std::string, std::string> environment() const;

 private:
  std::vector<std::string> env_;
  std::vector<std::string> env_files_;
};

/// The options --ttl and --ttl-action.
class TtlArguments {
 public:
  void add_to(CLI::App& app);
  /// Sets what was typed. Throws Failure (usage).
  void add_to(sandbox::SandboxOptions& options, const CLI::App& app) const;

 private:
  std::string ttl_;
  std::string action_;
};

/// `HOST:GUEST`, `HOST:GUEST:ro` or `HOST:GUEST:rw`; read-write without a suffix. HOST may contain
/// ':' and be relative to our working directory. Throws Failure (usage).
sandbox::Mount parse_mount(const std::string& argument);

/// The value of `option` as a duration. Throws Failure (usage).
std::chrono::milliseconds duration_of(const char* option, const std::string& text);

}  // namespace sandboxctl
