#include "runtime/sandboxctl/relay.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "sandbox/error.h"

namespace sandboxctl {
namespace {

// How long output is awaited from daemons that outlive the command: as Process::stream.
constexpr std::chrono::milliseconds kDaemonOutput{100};
// Long enough for a program to see the wrong size.
constexpr std::chrono::milliseconds kRedrawTime{50};

}  // namespace

void Relay::pass_stdin() {
  input_ = std::make_unique<InputPump>(STDIN_FILENO, process_.stdin_fd());
}

// Our terminal is put right before anybody may end this process.
std::optional<sandbox::Outcome> Relay::run() {
  if (process_.has_terminal() && input_) {
    raw_.emplace();
    inbox_.take_stops();
  }
  if (!true_size_at_) follow_size();
  while (!drained() && !interrupted_) poll_once();
  raw_.reset();
  return interrupted_ ? std::nullopt : outcome_;
}

void Relay::follow_size() {
  true_size_at_.reset();
  if (process_.has_terminal() && ::isatty(STDIN_FILENO) == 1) process_.resize(terminal_size());
}

void Relay::poll_once() {
  constexpr pollfd kNothing{.fd = -1, .events = 0, .revents = 0};
  pollfd inbox{.fd = inbox_.fd(), .events = POLLIN, .revents = 0};
  pollfd status{.fd = outcome_ ? -1 : process_.status_fd(), .events = POLLIN, .revents = 0};
  std::array polled{inbox, out_.wanted(), err_.wanted(), input_ ? input_->wanted() : kNothing,
                    status};
  if (::poll(polled.data(), polled.size(), patience_ms()) < 0) {
    if (errno == EINTR) return;  // The signal is in the inbox.
    throw sandbox::Error(errno, "poll", "");
  }
  if (true_size_at_ && *true_size_at_ <= Clock::now()) follow_size();

  if (polled[0].revents != 0) forward_signals();
  if (polled[1].revents != 0) advance_output(out_, sandbox::Stream::Stdout);
  if (polled[2].revents != 0) advance_output(err_, sandbox::Stream::Stderr);
  if (polled[3].revents != 0) advance_input();
  if (polled[4].revents != 0) note_end();
}

bool Relay::drained() const {
  if (!outcome_) return false;
  if (out_.finished() && err_.finished()) return true;
  if (process_.output_ends()) return false;
  return out_.settled() && err_.settled() && Clock::now() >= deadline_;
}

int Relay::patience_ms() const {
  const auto until = [](Clock::time_point moment) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - Clock::now());
    return static_cast<int>(std::max<int64_t>(left.count(), 0));
  };
  if (true_size_at_) return until(*true_size_at_);
  if (!outcome_ || process_.output_ends()) return -1;
  if (const int left = until(deadline_); left > 0) return left;
  return -1;  // Only owed bytes keep us here, and they are in the pipe.
}

void Relay::advance_output(Pump& pump, sandbox::Stream stream) {
  pump.advance();
  // The command then meets SIGPIPE at its next write, as it would without us: `run -- yes | head`.
  if (pump.finished()) process_.close_output(stream);
}

void Relay::advance_input() {
  input_->advance();
  if (input_->finished()) end_input();
}

// The end of our terminal is not the end of what goes on without us.
void Relay::end_input() {
  const bool detached = input_->detached();
  input_.reset();
  if (detached || (raw_ && leaving_ != Leave::AtSecond)) {
    interrupted_ = true;
    signal_ = detached ? 0 : SIGHUP;
  } else {
    process_.close_stdin();
  }
}

void Relay::forward_signals() {
  while (const auto received = inbox_.next()) {
    if (handle_as_terminal(received->number)) continue;
    interrupted_ = asks_to_leave(*received);
    signal_ = received->number;
    if (interrupted_) return;
    const auto target = received->from_terminal ? sandbox::Target::Tree : sandbox::Target::Process;
    process_.kill(received->number, target);
  }
}

// True for the signals that are about our terminal and not for the command.
bool Relay::handle_as_terminal(int signal) {
  if (signal == SIGTSTP) {
    raw_->suspend();
    stop_like_others();
  }
  if (signal == SIGTSTP || signal == SIGCONT) {
    raw_->resume();
    redraw();
  } else if (signal == SIGWINCH) {
    follow_size();
  } else {
    return false;
  }
  return true;
}

void Relay::redraw() {
  sandbox::TerminalSize other = terminal_size();
  other.rows = static_cast<uint16_t>(std::max(other.rows - 1, 1));
  process_.resize(other);
  true_size_at_ = Clock::now() + kRedrawTime;
}

bool Relay::asks_to_leave(const ReceivedSignal& received) const {
  return signal_ != 0 || leaving_ == Leave::AtFirst ||
         (leaving_ == Leave::AtHangup && received.number == SIGHUP);
}

// Or only a gap, which is told at the end.
void Relay::note_end() {
  outcome_ = process_.wait_for(std::chrono::milliseconds(0));
  if (!outcome_) return;
  input_.reset();
  out_.note_end();
  err_.note_end();
  deadline_ = Clock::now() + kDaemonOutput;
}

}  // namespace sandboxctl
