#include "proc/kept_commands.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "runtime/base/block_sigpipe.h"
#include "runtime/base/duplicate_fd.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;
constexpr std::size_t kRememberedPids = 4096;

UniqueFd make_timer() {
  return UniqueFd(
      check(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"));
}

void require_offset(uint64_t from, const OutputRing& ring) {
  if (from <= ring.end()) return;
  const std::string subject = "offset " + std::to_string(from);
  const std::string hint = "the stream has " + std::to_string(ring.end()) + " bytes so far";
  throw Error(EINVAL, "connect", subject, hint);
}

}  // namespace

KeptCommands::KeptCommands(const Bounds& bounds)
    : bounds_(bounds),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      timer_(make_timer()),
      buffer_(kChunkBytes) {
  watch(timer_.get(), {.role = Role::Timer, .events = EPOLLIN});
}

void KeptCommands::add(pid_t pid, Sources sources, const OutputPolicy& policy, uint64_t tree) {
  give_up(pid);
  Command command;
  command.policy = policy;
  command.tree = tree;
  command.streams = {KeptStream(std::move(sources.out), policy),
                     KeptStream(std::move(sources.err), policy)};
  command.input = std::move(sources.input);
  command.started = Clock::now();
  command.last_output = command.started;
  watch_sources(commands_.emplace(pid, std::move(command)).first);
}

void KeptCommands::connect(pid_t pid, Client wish) {
  const BlockSigpipe blocked;
  try {
    const Entry at = find_for(pid);
    take_waiting(at);
    require_offset(wish.out_from, at->second.streams[0].ring());
    require_offset(wish.err_from, at->second.streams[1].ring());
    admit(at, std::move(wish));
  } catch (const Error& error) {
    if (wish.status) KeptClient(std::move(wish.status), {}).tell(to_failure(error));
  }
}

// Throws unless a client may have its output.
KeptCommands::Entry KeptCommands::find_for(pid_t pid) {
  const Entry at = commands_.find(pid);
  if (at == commands_.end()) {
    const bool known = std::find(given_up_.begin(), given_up_.end(), pid) != given_up_.end();
    throw Error(ESRCH, "connect", std::to_string(pid),
                known ? "it has ended, and its output was given up for that of later commands"
                      : "no kept command has this pid");
  }
  if (at->second.policy.output == Output::Piped && at->second.had_client) {
    throw Error(EINVAL, "connect", std::to_string(pid),
                "its output goes to who started it: it is not a kept one");
  }
  return at;
}

void KeptCommands::admit(Entry at, Client wish) {
  Command& command = at->second;
  UniqueFd input = command.input ? duplicate(command.input.get(), "stdin") : UniqueFd();
  std::array<KeptClient::Tap, 2> taps;
  taps[0] = {.writer = std::move(wish.out), .position = wish.out_from};
  taps[1] = {.writer = std::move(wish.err), .position = wish.err_from};
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    if (wish.follow == Follow::No) taps.at(stream).until = command.streams.at(stream).ring().end();
  }
  command.had_client = true;
  KeptClient& client = command.clients.emplace_back(std::move(wish.status), std::move(taps),
                                                    wish.follow == Follow::AtItsPace);
  client.tell(Started{at->first}, std::move(input));
  if (command.ended) client.tell(*command.ended);
  if (command.ended || wish.follow == Follow::No) client.set_told();
  advance(at);
}

void KeptCommands::end(pid_t pid, CommandInfo info, const Ended& ended) {
  const BlockSigpipe blocked;
  const Entry at = commands_.find(pid);
  Command& command = at->second;
  command.ended = ended;
  command.info = std::move(info);
  command.info.state = CommandState::Ended;
  command.info.outcome = ended.outcome;
  command.ended_as = ++ends_;
  command.linger_until = Clock::now() + kLinger;
  command.input.reset();
  for (KeptStream& stream : command.streams) stream.note_end();
  take_waiting(at);
  for (KeptClient& client : command.clients) {
    client.tell(ended);
    client.set_told();
  }
  start_linger();
  advance(at);
  const auto has_ended = [](const auto& entry) { return entry.second.ended.has_value(); };
  const auto count = std::count_if(commands_.begin(), commands_.end(), has_ended);
  if (static_cast<std::size_t>(count) <= bounds_.ended_commands) return;
  if (!give_up_oldest(nullptr, false)) give_up_oldest(nullptr, true);
}

void KeptCommands::give_up(pid_t pid) {
  const Entry at = commands_.find(pid);
  if (at != commands_.end()) erase(at);
}

void KeptCommands::erase(Entry at) {
  Command& command = at->second;
  while (!command.clients.empty()) drop_client(at, command.clients.front());
  for (std::size_t stream = 0; stream < kStreams; ++stream) close_source(command, stream);
  commands_.erase(at);
}

std::size_t KeptCommands::ring_bytes() const {
  std::size_t total = 0;
  for (const auto& [pid, command] : commands_) {
    for (const KeptStream& stream : command.streams) total += stream.ring().storage_bytes();
  }
  return total;
}

void KeptCommands::make_room(const Command& owner, OutputRing& ring, std::size_t bytes) {
  if (owner.streams[0].is_lossless()) return;  // Small, and nothing of it may be lost.
  while (const std::size_t growth = ring.growth(bytes)) {
    if (ring_bytes() + growth <= bounds_.ring_bytes) return;
    if (!give_up_oldest(&owner, false)) return ring.stop_growing();
  }
}

// Not those that somebody reads. With open sources there are daemons behind them, which would get
// SIGPIPE.
bool KeptCommands::give_up_oldest(const Command* except, bool with_open_sources) {
  Entry oldest = commands_.end();
  for (Entry at = commands_.begin(); at != commands_.end(); ++at) {
    const Command& command = at->second;
    const bool has_sources = command.streams[0].is_open() || command.streams[1].is_open();
    if (!command.ended || !command.clients.empty() || &command == except) continue;
    if (has_sources && !with_open_sources) continue;
    if (oldest == commands_.end() || command.ended_as < oldest->second.ended_as) oldest = at;
  }
  if (oldest == commands_.end()) return false;
  given_up_.push_back(oldest->first);
  if (given_up_.size() > kRememberedPids) given_up_.pop_front();
  erase(oldest);
  return true;
}

std::chrono::steady_clock::time_point KeptCommands::last_output(pid_t pid) const {
  const Command& command = commands_.at(pid);
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    const bool is_held_up = command.streams.at(stream).is_open() && room_for(command, stream) == 0;
    if (is_held_up) return Clock::now();
  }
  return command.last_output;
}

std::optional<uint64_t> KeptCommands::tree_of(pid_t pid) const {
  const auto at = commands_.find(pid);
  return at == commands_.end() ? std::nullopt : std::optional(at->second.tree);
}

void KeptCommands::count_output(CommandInfo& info) const {
  const auto at = commands_.find(info.pid);
  if (at == commands_.end()) return;
  info.stdout_bytes = at->second.streams[0].seen();
  info.stderr_bytes = at->second.streams[1].seen();
}

std::vector<CommandInfo> KeptCommands::ended() const {
  std::vector<CommandInfo> all;
  for (const auto& [pid, command] : commands_) {
    if (!command.ended || command.policy.output != Output::Kept) continue;
    all.push_back(command.info);
    all.back().age =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - command.started);
    count_output(all.back());
  }
  return all;
}

}  // namespace sandbox
