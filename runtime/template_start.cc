#include "runtime/template_start.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "runtime/base/deadline.h"
#include "runtime/listening_port.h"
#include "runtime/local_http.h"
#include "runtime/output_tail.h"
#include "sandbox/commands.h"
#include "sandbox/error.h"
#include "sandbox/files.h"

namespace sandbox {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::vector<std::string> shell(const std::string& line) { return {"/bin/sh", "-c", line}; }

// One look after the other at whether a sandbox is ready.
class ReadyProbe {
 public:
  ReadyProbe(const SandboxCore& core, const ReadyCheck& check)
      : core_(core), check_(check), deadline_(deadline_after(milliseconds(check.timeout_ms))) {}

  Clock::time_point deadline() const noexcept { return deadline_; }
  /// What the last look saw, in words, as far as it says more than "no".
  const std::string& last() const noexcept { return last_; }

  bool is_ready() {
    if (!check_.command.empty()) return succeeds();
    if (!check_.file.empty()) return Files(core_.files).exists(check_.file);
    if (!check_.url.empty()) return answers();
    return is_listening(core_.commands->control, check_.port);
  }

 private:
  milliseconds left() const {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
    return std::max(left, milliseconds(1));
  }

  bool succeeds() {
    const CommandResult result =
        Commands(core_.commands).run({.argv = shell(check_.command), .timeout = left()});
    OutputTail tail;
    tail.add(result.stdout_text);
    tail.add(result.stderr_text);
    const bool cut_short = std::holds_alternative<TimedOut>(result.outcome);
    if (!cut_short || last_.empty())
      last_ = "the check: " + to_string(result.outcome) + tail.told();
    return result.outcome == Outcome(Exited{0});
  }

  bool answers() {
    constexpr int kFirstError = 400;
    const std::optional<int> status =
        ask_local_server(core_.commands->control, *parse_local_url(check_.url), deadline_);
    if (status) last_ = "the server answered with status " + std::to_string(*status);
    return status && *status < kFirstError;
  }

  const SandboxCore& core_;
  const ReadyCheck& check_;
  Clock::time_point deadline_;
  std::string last_;
};

class StartCommand {
 public:
  StartCommand(const SandboxCore& core, const std::string& line)
      : commands_(core.commands), line_(line) {
    if (line.empty()) return;
    process_.emplace(commands_.start(
        {.argv = shell(line), .output = Output::Kept, .tag = std::string(kStartTag)}));
  }

  // Until it has failed, at most `pause`. One that has ended well has left a daemon.
  void watch(milliseconds pause) {
    if (process_ && !ended_) {
      ended_ = process_->wait_for(pause);
    } else {
      std::this_thread::sleep_for(pause);
    }
    if (!ended_ || *ended_ == Outcome(Exited{0})) return;
    throw Error(ECANCELED, "start template", line_, "the start command " + story());
  }

  // How it is doing and what it printed last.
  std::string story() const {
    if (!process_) return {};
    OutputTail tail;
    commands_.replay(process_->pid(), [&](Stream, std::string_view chunk) { tail.add(chunk); });
    return (ended_ ? to_string(*ended_) : "is running") + tail.told();
  }

 private:
  Commands commands_;
  std::string line_;
  std::optional<Process> process_;
  std::optional<Outcome> ended_;
};

[[noreturn]] void give_up(const ReadyCheck& check, const std::string& last,
                          const std::string& story) {
  std::string hint = "it was not within " + std::to_string(check.timeout_ms) + " ms";
  if (!last.empty()) hint += "; " + last;
  if (!story.empty()) hint += "; the start command " + story;
  throw Error(ETIMEDOUT, "wait until ready", describe(check), hint);
}

}  // namespace

void start_template(const SandboxCore& core, const TemplateConfig& config) {
  constexpr milliseconds kShortest{2};
  constexpr milliseconds kLongest{500};
  StartCommand start(core, config.start);
  if (!config.ready) return;
  ReadyProbe probe(core, *config.ready);
  for (milliseconds pause = kShortest; !probe.is_ready(); pause = std::min(2 * pause, kLongest)) {
    if (Clock::now() >= probe.deadline()) give_up(*config.ready, probe.last(), start.story());
    start.watch(std::min(pause, std::chrono::ceil<milliseconds>(probe.deadline() - Clock::now())));
  }
}

}  // namespace sandbox
