#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "runtime/sandboxctl/pumps.h"
#include "runtime/sandboxctl/raw_terminal.h"
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
  /// To be called behind it: `keys` let go of the command, which has a terminal.
  void detach_at(const DetachKeys& keys) { input_->detach_at(keys); }

  /// Has the program in the command's terminal draw itself, as programs do at another size: the
  /// true one follows in a moment.
  void redraw();

  /// Runs until the end. Nothing when we are to end without the command: at the detach keys, which
  /// leave no signal(), or because a signal asked us to: a second one, unless set_leaving() said
  /// otherwise.
  /// Throws Failure when our own stdin, stdout or stderr fails, Error when the sandbox does.
  std::optional<sandbox::Outcome> run();

  /// The last signal received, 0 for none. SIGHUP also when the terminal that is our stdin has
  /// gone.
  int signal() const noexcept { return signal_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool drained() const;
  int patience_ms() const;
  void follow_size();
  void poll_once();
  void advance_output(Pump& pump, sandbox::Stream stream);
  void advance_input();
  void end_input();
  void forward_signals();
  bool handle_as_terminal(int signal);
  bool asks_to_leave(const ReceivedSignal& received) const;
  void note_end();

  sandbox::Process& process_;
  const SignalInbox& inbox_;
  Pump& out_;
  Pump& err_;
  std::unique_ptr<InputPump> input_;
  std::optional<RawTerminal> raw_;
  std::optional<Clock::time_point> true_size_at_;
  std::optional<sandbox::Outcome> outcome_;
  Clock::time_point deadline_;  // Of output, when the command has ended.
  Leave leaving_ = Leave::AtSecond;
  int signal_ = 0;
  bool interrupted_ = false;
};

}  // namespace sandboxctl
