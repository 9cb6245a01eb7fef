#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/signals.h"
#include "sandbox/process.h"

namespace sandboxctl {

/// Moves bytes and signals between this process and one command until the command has ended.
///
/// One poll(2) loop: a slow reader of stdout holds up neither stderr, stdin nor Ctrl-C.
class Relay {
 public:
  /// `out` and `err` take the command's output. All four must outlive the relay.
  Relay(sandbox::Process& process, const SignalInbox& inbox, Pump& out, Pump& err) noexcept
      : process_(process), inbox_(inbox), out_(out), err_(err) {}

  /// At which signal run() returns without the command, instead of passing it on.
  enum class Leave { AtSecond, AtHangup, AtFirst };
  void set_leaving(Leave leaving) noexcept { leaving_ = leaving; }

  /// Passes our stdin to the command, which must have been started with Stdin::Pipe.
  void pass_stdin();

  /// Runs until the end. Nothing when a signal asked us to end without the command: a second one,
  /// unless set_leaving() said otherwise.
  /// Throws Failure when our own stdin, stdout or stderr fails, Error when the sandbox does.
  std::optional<sandbox::Outcome> run();

  /// The last signal received, 0 for none.
  int signal() const noexcept { return signal_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool drained() const;
  int patience_ms() const;
  void follow_size();
  void poll_once();
  void advance_output(Pump& pump, sandbox::Stream stream);
  void advance_input();
  void forward_signals();
  bool asks_to_leave(const ReceivedSignal& received) const;
  void note_end();

  sandbox::Process& process_;
  const SignalInbox& inbox_;
  Pump& out_;
  Pump& err_;
  std::unique_ptr<InputPump> input_;
  std::optional<sandbox::Outcome> outcome_;
  Clock::time_point deadline_;  // Of output, when the command has ended.
  Leave leaving_ = Leave::AtSecond;
  int signal_ = 0;
  bool interrupted_ = false;
};

}  // namespace sandboxctl
