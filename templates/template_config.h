#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/limits.h"
#include "sandbox/options.h"

namespace sandbox {

/// When a sandbox counts as ready: one of the first four is set.
struct ReadyCheck {
  std::string command{};  ///< For /bin/sh -c; exits with 0.
  uint16_t port = 0;      ///< Something listens there, TCP.
  std::string file{};     ///< Absolute; exists.
  std::string url{};      ///< parse_local_url() takes it; answers with a status below 400.
  uint64_t timeout_ms = 60'000;

  bool operator==(const ReadyCheck&) const = default;
};

/// "port 8080", "file /run/ready": what is waited for, in words.
std::string describe(const ReadyCheck& ready);

/// What sandboxes of a template start with, where their creator does not say otherwise.
struct TemplateConfig {
  std::string user;     ///< Empty: `user`.
  std::string workdir;  ///< Absolute; empty: the home directory.
  std::map<std::string, std::string> env;
  /// What an image says it is for. Nothing runs it by itself.
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string start{};  ///< For /bin/sh -c, when a sandbox is created; empty: nothing.
  std::optional<ReadyCheck> ready{};
  Limits limits{};
  Ids ids = Ids::Auto;  ///< What Ids::Auto means in a sandbox of this template; Auto: one id.
};

/// Nothing for a word that to_string() gives of none.
std::optional<Ids> ids_named(std::string_view word) noexcept;

/// A key of `limits` and the whole number it sets. `cpus` is none.
struct LimitKey {
  const char* name;
  std::optional<int64_t> Limits::*value;
};
inline constexpr LimitKey kLimitKeys[] = {{"memory", &Limits::memory_bytes},
                                          {"memory_high", &Limits::memory_high_bytes},
                                          {"pids", &Limits::pids},
                                          {"cpu_weight", &Limits::cpu_weight},
                                          {"disk", &Limits::disk_bytes},
                                          {"disk_read_rate", &Limits::disk_read_rate},
                                          {"disk_write_rate", &Limits::disk_write_rate},
                                          {"open_files", &Limits::open_files},
                                          {"file_size", &Limits::file_bytes}};

/// `limits`, and of `otherwise` what they do not set.
Limits limits_or(Limits limits, const Limits& otherwise);

}  // namespace sandbox
