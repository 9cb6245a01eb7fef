// sandboxctl stats, pause and resume: what a sandbox uses, and whether it runs.

#include <optional>

#include "runtime/sandboxctl/arguments.h"
#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/opening.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/units.h"
#include "runtime/sandboxctl/verbs.h"

namespace sandboxctl {
namespace {

using nlohmann::ordered_json;

// The sandbox that is the only word of `arguments`; nothing when help was asked for.
std::optional<std::string> parse_id(CLI::App& app, const char* usage,
                                    const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  if (!parse_words(app, usage, arguments, words)) return std::nullopt;
  if (words.size() != 1) throw usage_error(app.get_name(), "it takes one sandbox", usage);
  return words.front();
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  if constexpr (std::is_same_v<T, std::chrono::microseconds>) {
    return value ? ordered_json(value->count()) : ordered_json();
  } else {
    return value ? ordered_json(*value) : ordered_json();
  }
}

ordered_json stats_fields(const sandbox::SandboxStats& stats) {
  return {{"paused", stats.paused},
          {"memory_bytes", or_null(stats.memory_bytes)},
          {"memory_peak_bytes", or_null(stats.memory_peak_bytes)},
          {"memory_limit_bytes", or_null(stats.memory_limit_bytes)},
          {"pids", or_null(stats.pids)},
          {"pids_limit", or_null(stats.pids_limit)},
          {"cpu_user_us", or_null(stats.cpu_user)},
          {"cpu_system_us", or_null(stats.cpu_system)},
          {"cpu_throttled_us", or_null(stats.cpu_throttled)},
          {"oom_kills", stats.oom_kills},
          {"refused_forks", stats.refused_forks},
          {"disk_bytes", or_null(stats.disk_bytes)},
          {"disk_limit_bytes", or_null(stats.disk_limit_bytes)}};
}

std::string row(const std::string& name, const std::string& value) {
  constexpr size_t kColumn = 12;
  std::string text = name;
  text.resize(kColumn, ' ');
  return text + value + "\n";
}

std::string size_of(const std::optional<uint64_t>& bytes) {
  return bytes ? format_size(*bytes) : "-";
}

std::string count_of(const std::optional<uint64_t>& count) {
  return count ? std::to_string(*count) : "-";
}

std::string time_of(const std::optional<std::chrono::microseconds>& time) {
  return time ? format_duration(*time) : "-";
}

std::string stats_table(const sandbox::SandboxStats& stats) {
  std::string text = row("state", stats.paused ? "paused" : "running");
  text += row("memory", size_of(stats.memory_bytes) + " of " + size_of(stats.memory_limit_bytes) +
                            ", peak " + size_of(stats.memory_peak_bytes));
  text += row("pids", count_of(stats.pids) + " of " + count_of(stats.pids_limit));
  text += row("cpu", time_of(stats.cpu_user) + " user, " + time_of(stats.cpu_system) + " system, " +
                         time_of(stats.cpu_throttled) + " throttled");
  text += row("disk", size_of(stats.disk_bytes) + " of " + size_of(stats.disk_limit_bytes));
  text += row("oom kills", std::to_string(stats.oom_kills));
  text += row("no fork", std::to_string(stats.refused_forks));
  return text;
}

Failure control_failure(const char* doing, const std::string& id, const sandbox::Error& error) {
  Message message = describe(doing, error);
  message.subject = id;
  return {kFailed, message};
}

}  // namespace

int stats(const std::vector<std::string>& arguments) {
  CLI::App app("Prints what a sandbox uses now and has used.", "stats");
  bool json = false;
  app.add_flag("--json", json, "print one JSON document");
  const auto id = parse_id(app, "sandboxctl stats [--json] ID", arguments);
  if (!id) return 0;
  sandbox::Runtime runtime = start_runtime();
  const sandbox::SandboxStats stats = attach_sandbox(runtime, *id).stats();
  print_output(json ? dump(stats_fields(stats)) : stats_table(stats));
  return 0;
}

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
