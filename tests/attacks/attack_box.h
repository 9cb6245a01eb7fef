#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/runtime.h"
#include "tests/support/process_snapshot.h"
#include "tests/support/temp_dir.h"

namespace sandbox::test {

using Words = std::vector<std::string>;

/// What `probe` printed: a line each.
using Lines = std::vector<std::string>;
Lines split_lines(const std::string& text);

/// The last word of each line by what stands before it: {"unshare(user)", "EPERM"}.
std::map<std::string, std::string> to_results(const std::string& text);

/// Where the probe lies inside a sandbox.
inline constexpr const char* kProbe = "/probe/probe";

/// How a program outside ended, and what it printed on stdout.
struct PlainEnd {
  int exit_code = -1;
  std::string text;
};

/// The positive control: runs `probe WORDS` without a sandbox, as the caller.
PlainEnd plain_probe(const Words& words, const std::string& input = {});
PlainEnd run_plain(const Words& argv, const std::string& input = {});

/// Directory of the probe, as the caller of the tests can reach it.
std::string probe_directory();

/// A Runtime of its own, and a leak check around everything made with it.
class AttackBox {
 public:
  AttackBox();

  Runtime& runtime() noexcept { return *runtime_; }
  /// Where its Runtime keeps its data. One for all tests of a program: templates are made once.
  static const TempDir& data();
  /// Default options with the probe mounted.
  static SandboxOptions options();
  /// A sandbox with these options, made on demand; otherwise the default one.
  Sandbox make(const SandboxOptions& options = AttackBox::options()) {
    return runtime_->create(options);
  }
  /// Runs the probe in a new default sandbox.
  CommandResult probe(const Words& words) { return run_probe(make(), words); }
  static CommandResult run_probe(const Sandbox& box, const Words& words);
  /// Starts it with stdin, for probes that wait for its end.
  static Process start_probe(const Sandbox& box, const Words& words);

 private:
  LeakCheck nothing_left_;
  std::optional<Runtime> runtime_;
};

Command command(const Words& argv, const std::string& cwd = {},
                std::chrono::milliseconds timeout = std::chrono::seconds(30));
/// `probe WORDS` as argv.
Command probe_command(const Words& words);

/// Reads lines of stdout until one of them is `word`. Fails the test at end of file.
void wait_for_word(Process& process, const std::string& word);

/// True as soon as `condition` is; false at the deadline.
bool comes_true(const std::function<bool()>& condition, int seconds = 10);

}  // namespace sandbox::test
