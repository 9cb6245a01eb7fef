// How bytes and messages move through KeptCommands.

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "proc/kept_commands.h"
#include "runtime/base/block_sigpipe.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// Nothing is delivered before the end: only then is known where the tail begins.
bool waits_for_tail(const OutputPolicy& policy, bool all_read) {
  return policy.output == Output::Piped && policy.max_bytes != 0 &&
         policy.on_excess == OnExcess::KeepTail && !all_read;
}

}  // namespace

std::vector<KeptEvent> KeptCommands::handle_events() {
  const BlockSigpipe blocked;
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  if (count < 0 && errno != EINTR) throw Error(errno, "epoll_wait", {});
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    // An event before this one may have closed the descriptor. No new one is opened meanwhile.
    const auto at = watches_.find(event.data.fd);
    if (at != watches_.end()) handle(Watch(at->second), event.events);
  }
  return std::exchange(wanted_, {});
}

void KeptCommands::handle(const Watch& watch, uint32_t events) {
  if (watch.role == Role::Timer) return end_linger();
  const Entry at = commands_.find(watch.pid);
  switch (watch.role) {
    case Role::Source:
      take_output(at, watch.stream);
      break;
    case Role::Tap:
      watch.client->tap(watch.stream).is_full = false;
      watch.client->tap(watch.stream).is_gone = (events & EPOLLERR) != 0;
      break;
    case Role::Status:
      if ((events & EPOLLOUT) != 0) watch.client->flush();
      if ((events & (EPOLLIN | EPOLLHUP)) != 0) take_request(at, *watch.client);
      break;
    case Role::Timer:
      break;
  }
  advance(at);
}

void KeptCommands::take_output(Entry at, std::size_t stream) {
  Command& command = at->second;
  KeptStream& source = command.streams.at(stream);
  const std::size_t room = std::min(room_for(command, stream), buffer_.size());
  if (room == 0) return;
  const KeptStream::Taken taken = source.take(std::span(buffer_).first(room));
  if (taken.at_end) return close_source(command, stream);
  make_room(command, source.ring(), taken.kept.size());
  source.ring().append(taken.kept);
  command.last_output = Clock::now();
  if (source.excess() > 0 && command.policy.on_excess == OnExcess::Kill && !command.limit_told) {
    command.limit_told = true;
    wanted_.emplace_back(LimitReached{at->first, command.policy.max_bytes});
  }
}

// What was written up to now.
void KeptCommands::take_waiting(Entry at) {
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    const KeptStream& source = at->second.streams.at(stream);
    const uint64_t all = source.seen() + source.waiting();
    while (source.is_open() && source.seen() < all && room_for(at->second, stream) > 0) {
      const uint64_t before = source.seen();
      take_output(at, stream);
      if (source.seen() == before) break;  // Somebody inside reads it too.
    }
  }
}

void KeptCommands::take_request(Entry at, KeptClient& client) {
  try {
    const std::optional<Message> message = client.status().receive();
    if (!message) return lose_client(at, client);
    const StatusMessage request = decode_status(message->payload);
    if (const auto* signal = std::get_if<SignalRequest>(&request)) {
      if (!at->second.ended) wanted_.emplace_back(SignalWanted{at->first, *signal});
    } else if (std::holds_alternative<CloseStdin>(request)) {
      at->second.input.reset();
    } else if (std::holds_alternative<Detach>(request)) {
      client.set_detached();
    } else {
      throw Error(EBADMSG, "receive", "status message");
    }
  } catch (const Error&) {
    lose_client(at, client);  // It does not speak our language.
  }
}

void KeptCommands::lose_client(Entry at, KeptClient& client) {
  const bool is_kept = at->second.policy.output == Output::Kept;
  if (!is_kept && client.is_detached()) return unwatch(client.status().fd());  // Its pipes remain.
  if (!is_kept && !at->second.ended) wanted_.emplace_back(Abandoned{at->first});
  drop_client(at, client);
}

void KeptCommands::drop_client(Entry at, KeptClient& client) {
  for (std::size_t stream = 0; stream < kStreams; ++stream) close_tap(client, stream);
  unwatch(client.status().fd());
  at->second.clients.remove_if([&](const KeptClient& each) { return &each == &client; });
}

// Gives each client what there is for it, and ends what has come to its end.
void KeptCommands::advance(Entry at) {
  Command& command = at->second;
  for (auto next = command.clients.begin(); next != command.clients.end();) {
    KeptClient& client = *next++;
    advance_client(at, client);
    if (client.is_done()) drop_client(at, client);
  }
  const bool is_kept = command.policy.output == Output::Kept;
  if (!is_kept) close_unread_sources(command);
  if (!is_kept && command.ended && command.clients.empty()) return erase(at);
  watch_sources(at);
}

void KeptCommands::advance_client(Entry at, KeptClient& client) {
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    if (client.tap(stream).writer) advance_tap(at->second, client, stream);
  }
  watch_client(at, client);
}

void KeptCommands::advance_tap(const Command& command, KeptClient& client, std::size_t stream) {
  const KeptStream& source = command.streams.at(stream);
  KeptClient::Tap& tap = client.tap(stream);
  const bool all_read = command.ended && source.has_all();
  const bool is_over = all_read && (!source.is_open() || Clock::now() >= command.linger_until);
  if (is_over && !tap.until) tap.until = source.ring().end();
  if (!waits_for_tail(command.policy, all_read)) client.deliver(stream, source.ring());
  const bool is_delivered = tap.until && tap.position >= *tap.until;
  if (is_delivered && source.excess() > 0) {
    client.tell(Gap{
        .stream = static_cast<Stream>(stream), .offset = tap.position, .bytes = source.excess()});
  }
  if (is_delivered || tap.is_gone) close_tap(client, stream);
}

void KeptCommands::close_tap(KeptClient& client, std::size_t stream) {
  UniqueFd& writer = client.tap(stream).writer;
  if (!writer) return;
  unwatch(writer.get());
  writer.reset();
}

void KeptCommands::close_source(Command& command, std::size_t stream) {
  KeptStream& source = command.streams.at(stream);
  if (!source.is_open()) return;
  unwatch(source.source());
  source.close();
}

// Of a command that is not kept: it is to meet SIGPIPE, as it would without us.
void KeptCommands::close_unread_sources(Command& command) {
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    const bool is_read =
        std::any_of(command.clients.begin(), command.clients.end(),
                    [&](const KeptClient& client) { return bool(client.tap(stream).writer); });
    if (!is_read) close_source(command, stream);
  }
}

std::size_t KeptCommands::room_for(const Command& command, std::size_t stream) {
  const KeptStream& source = command.streams.at(stream);
  uint64_t slowest = source.ring().end();
  bool is_paced = source.is_lossless();
  for (const KeptClient& client : command.clients) {
    const bool counts = source.is_lossless() || (source.is_terminal() && client.sets_pace());
    if (!counts || !client.tap(stream).writer) continue;
    is_paced = true;
    slowest = std::min(slowest, client.tap(stream).position);
  }
  return is_paced ? source.room(slowest) : std::numeric_limits<std::size_t>::max();
}

// A source for which there is no room is not watched at all: epoll(7) tells EPOLLHUP unasked.
void KeptCommands::watch_sources(Entry at) {
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    KeptStream& source = at->second.streams.at(stream);
    if (!source.is_open()) continue;
    if (room_for(at->second, stream) == 0) {
      unwatch(source.source());
    } else {
      watch(source.source(),
            {.role = Role::Source, .pid = at->first, .stream = stream, .events = EPOLLIN});
    }
  }
}

void KeptCommands::watch_client(Entry at, KeptClient& client) {
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    const KeptClient::Tap& tap = client.tap(stream);
    if (!tap.writer) continue;
    // Without events it still tells EPOLLERR: the other end was closed.
    watch(tap.writer.get(), {.role = Role::Tap,
                             .pid = at->first,
                             .stream = stream,
                             .client = &client,
                             .events = tap.is_full ? EPOLLOUT : 0U});
  }
  const bool is_lost = client.is_detached() && !watches_.contains(client.status().fd());
  if (is_lost) return;
  watch(client.status().fd(), {.role = Role::Status,
                               .pid = at->first,
                               .client = &client,
                               .events = EPOLLIN | (client.has_unsent() ? EPOLLOUT : 0U)});
}

void KeptCommands::start_linger() {
  auto next = Clock::time_point::max();
  const auto now = Clock::now();
  for (const auto& [pid, command] : commands_) {
    const bool lingers = command.ended && command.linger_until > now && !command.clients.empty();
    if (lingers) next = std::min(next, command.linger_until);
  }
  if (next == Clock::time_point::max()) return;
  const auto left = std::chrono::ceil<std::chrono::nanoseconds>(next - now).count();
  itimerspec when{};
  when.it_value = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
  check(::timerfd_settime(timer_.get(), 0, &when, nullptr), "timerfd_settime");
}

void KeptCommands::end_linger() {
  uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &expirations, sizeof(expirations));
  for (Entry at = commands_.begin(); at != commands_.end();) {
    const Entry command = at++;
    if (command->second.ended && !command->second.clients.empty()) advance(command);
  }
  start_linger();
}

void KeptCommands::watch(int fd, const Watch& watch) {
  const auto [at, is_new] = watches_.try_emplace(fd, watch);
  if (!is_new && at->second.events == watch.events) return;
  at->second = watch;
  epoll_event event{};
  event.events = watch.events;
  event.data.fd = fd;
  check(::epoll_ctl(epoll_.get(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event), "epoll_ctl");
}

void KeptCommands::unwatch(int fd) {
  if (watches_.erase(fd) == 0) return;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
}

}  // namespace sandbox
