#include "runtime/sandboxctl/signals.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "sandbox/error.h"

namespace sandboxctl {
namespace {

constexpr int kForwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
constexpr int kStops[] = {SIGTSTP, SIGCONT};
constexpr int kPatience = 2;

// What a handler may touch.
std::atomic<int> g_writer{-1};
std::atomic<int> g_received{0};

bool asks_to_end(int signal) {
  return signal != SIGWINCH && signal != SIGTSTP && signal != SIGCONT;
}

void set_handler(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  if (handler != nullptr) {
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;  // No SA_RESTART: a blocked write(2) to a slow reader must end.
  } else {
    action.sa_handler = SIG_DFL;
  }
  ::sigaction(signal, &action, nullptr);
}

extern "C" void on_signal(int signal, siginfo_t* info, void*) {
  const int saved_errno = errno;
  if (asks_to_end(signal) && g_received.fetch_add(1) >= kPatience) {
    set_handler(signal, nullptr);
    ::raise(signal);  // Delivered when this handler returns.
  }
  const ReceivedSignal received{.number = signal, .from_terminal = info->si_code == SI_KERNEL};
  [[maybe_unused]] const ssize_t written = ::write(g_writer, &received, sizeof received);
  errno = saved_errno;
}

bool ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

SignalInbox::SignalInbox() {
  int ends[2];
  sandbox::check(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
  reader_.reset(ends[0]);
  g_writer = ends[1];
  for (const int signal : kForwarded) {
    if (!ignored(signal)) set_handler(signal, on_signal);
  }
}

SignalInbox::~SignalInbox() {
  for (const int signal : kForwarded) {
    if (!ignored(signal)) set_handler(signal, nullptr);
  }
  for (const int signal : kStops) {
    if (!ignored(signal)) set_handler(signal, nullptr);
  }
  ::close(g_writer.exchange(-1));
  g_received = 0;
}

void SignalInbox::take_stops() const {
  for (const int signal : kStops) {
    if (!ignored(signal)) set_handler(signal, on_signal);
  }
}

std::optional<ReceivedSignal> SignalInbox::next() const {
  ReceivedSignal received;
  if (::read(fd(), &received, sizeof received) != sizeof received) return std::nullopt;
  return received;
}

std::optional<ReceivedSignal> SignalInbox::next_ending() const {
  std::optional<ReceivedSignal> received = next();
  while (received && !asks_to_end(received->number)) received = next();
  return received;
}

void stop_like_others() {
  set_handler(SIGTSTP, nullptr);
  ::raise(SIGTSTP);
  set_handler(SIGTSTP, on_signal);
}

void die_by(int signal) {
  ::prctl(PR_SET_DUMPABLE, 0);
  set_handler(signal, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace sandboxctl
