#include "runtime/sandboxctl/relay.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "runtime/sandboxctl/raw_terminal.h"
#include "sandbox/error.h"

namespace sandboxctl {
namespace {

// How long output is awaited from daemons that outlive the command: as Process::stream.
constexpr std::chrono::milliseconds kDaemonOutput{100};

}  // namespace

void Relay::pass_stdin() {
  input_ = std::make_unique<InputPump>(STDIN_FILENO, process_.stdin_fd());
}

// The destructor of RawTerminal puts our terminal right before anybody may end this process.
std::optional<sandbox::Outcome> Relay::run() {
  std::optional<RawTerminal> raw;
  if (process_.has_terminal() && input_) raw.emplace();
  follow_size();
  while (!drained()) {
    poll_once();
    if (interrupted_) return std::nullopt;
  }
  return outcome_;
}

void Relay::follow_size() {
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
  if (!outcome_ || process_.output_ends()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
  if (left.count() > 0) return static_cast<int>(left.count());
  return -1;  // Only owed bytes keep us here, and they are in the pipe.
}

void Relay::advance_output(Pump& pump, sandbox::Stream stream) {
  pump.advance();
  // The command then meets SIGPIPE at its next write, as it would without us: `run -- yes | head`.
  if (pump.finished()) process_.close_output(stream);
}

void Relay::advance_input() {
  input_->advance();
  if (!input_->finished()) return;
  input_.reset();
  process_.close_stdin();
}

void Relay::forward_signals() {
  while (const auto received = inbox_.next()) {
    if (received->number == SIGWINCH) {
      follow_size();
      continue;
    }
    interrupted_ = asks_to_leave(*received);
    signal_ = received->number;
    if (interrupted_) return;
    const auto target = received->from_terminal ? sandbox::Target::Tree : sandbox::Target::Process;
    process_.kill(received->number, target);
  }
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
