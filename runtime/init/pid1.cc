#include "runtime/init/pid1.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "proc/process_tree.h"
#include "runtime/base/deadline.h"
#include "runtime/init/dial.h"
#include "runtime/init/readable.h"
#include "runtime/init/sudo_service.h"
#include "runtime/init/tell.h"
#include "sandbox/error.h"

namespace sandbox {

Pid1::Pid1(Means means)
    : listener_(std::move(means.listener)),
      root_(std::move(means.root)),
      sudo_listener_(std::move(means.sudo_listener)),
      sudo_user_(means.sudo_user),
      commands_(std::move(means.commands), events_),
      ttl_action_(means.ttl_action) {
  events_.watch(child_signal_.fd());
  if (listener_) events_.watch(listener_.get());
  if (sudo_listener_) events_.watch(sudo_listener_.get());
  owner_ = means.owner.fd();
  events_.watch(owner_);
  clients_.emplace(owner_, std::move(means.owner));
  set_ttl(means.ttl_ms);
}

void Pid1::run() {
  while (!ending_) {
    const auto next = std::min(end_, commands_.next_deadline());
    for (const int fd : events_.wait(milliseconds_until(next))) handle(fd);
    if (end_ <= Clock::now()) end_ttl();
    commands_.enforce_deadlines();
  }
}

void Pid1::handle(int fd) {
  if (fd == child_signal_.fd()) {
    reap();
  } else if (fd == listener_.get()) {
    accept_client();
  } else if (fd == sudo_listener_.get()) {
    accept_sudo();
  } else if (fd == commands_.kept_fd()) {
    commands_.handle_kept();
  } else if (clients_.contains(fd)) {
    handle_client(fd);
  } else {
    commands_.handle_status(fd);
  }
}

void Pid1::reap() {
  child_signal_.drain();
  commands_.reap([this](pid_t pid) { sudos_.erase(pid); });
}

// Who may connect is decided by the directory the socket is in, 0700 and out of the sandbox's
// sight.
void Pid1::accept_client() {
  UniqueFd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!client) return;  // It has gone again, or we are out of descriptors and it waits.
  // Pids of processes that are not below us show as 0: pid_namespaces(7). What runs in here has
  // nothing to ask, whatever directory of the host it was shown.
  ucred peer{};
  socklen_t size = sizeof(peer);
  check(::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt");
  if (peer.pid != 0) return;
  events_.watch(client.get());
  const int fd = client.get();
  clients_.emplace(fd, MessageSocket(std::move(client)));
}

// Anybody inside connects here. Who may not ask, or is one too many, finds the connection closed.
void Pid1::accept_sudo() {
  constexpr std::size_t kMostAtOnce = 64;
  UniqueFd client{::accept4(sudo_listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!client || sudos_.size() >= kMostAtOnce) return;
  try {
    const std::optional<uint64_t> tag = tag_of_client(client, sudo_user_, commands_.proc());
    if (tag) sudos_.insert(start_sudo(std::move(client), commands_.spawner(), *tag));
  } catch (const Error&) {
    // No process for this one: the sandbox has used up what it may have.
  }
}

void Pid1::handle_client(int fd) {
  const MessageSocket& client = clients_.at(fd);
  try {
    if (!is_readable(fd)) return;
    std::optional<Message> message = client.receive();
    if (message) return answer(std::move(*message));
  } catch (const Error& error) {
    // Too many commands at once. The answer's socket is gone with the message, which tells the
    // host.
    if (error.code().value() == EMFILE) return;
    // Only who may kill the sandbox may connect at all; what he cannot say right ends his own
    // connection.
    if (error.code().value() != EBADMSG || fd == owner_) throw;
  }
  ending_ = fd == owner_;
  events_.unwatch(fd);
  clients_.erase(fd);
}

void Pid1::answer(Message message) {
  if (message.fds.empty()) throw Error(EBADMSG, "control", "descriptors");
  Asker asker{.reply = MessageSocket(std::move(message.fds.front()))};
  message.fds.erase(message.fds.begin());
  asker.fds = std::move(message.fds);
  const ControlRequest request = decode_control_request(message.payload);
  std::visit([&](const auto& asked) { answer(asked, std::move(asker)); }, request);
}

void Pid1::answer(const SpawnRequest& request, Asker asker) {
  commands_.start(request, std::move(asker.reply), std::move(asker.fds));
}

void Pid1::answer(const ConnectRequest& request, Asker asker) {
  commands_.connect(request, std::move(asker.reply), std::move(asker.fds));
}

void Pid1::answer(const ListCommands&, const Asker& asker) {
  tell(asker.reply, ControlReply(CommandList{commands_.list()}));
}

void Pid1::answer(const SignalCommand& request, const Asker& asker) {
  tell(asker.reply, ControlReply(Signalled{commands_.signal(request)}));
}

void Pid1::answer(const Release&, const Asker& asker) {
  owner_ = -1;
  tell(asker.reply, ControlReply(Done{}));
}

void Pid1::answer(const GetRoot&, const Asker& asker) {
  const int root = root_.get();
  tell(asker.reply, ControlReply(Done{}), {&root, root_ ? 1U : 0U});
}

void Pid1::answer(const SetTtl& request, const Asker& asker) {
  set_ttl(request.ttl_ms);
  tell(asker.reply, ControlReply(Done{}));
}

void Pid1::answer(const RenewTtl&, const Asker& asker) {
  if (ttl_over_) set_ttl(ttl_ms_);
  tell(asker.reply, ControlReply(Done{}));
}

void Pid1::answer(const Describe&, const Asker& asker) {
  State state;
  state.processes = count_processes(commands_.proc());
  if (end_ != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    state.ttl_left_ms = static_cast<uint64_t>(std::max<int64_t>(left.count(), 1));
  }
  tell(asker.reply, ControlReply(state));
}

void Pid1::answer(const GetNamespaces&, const Asker& asker) {
  give_files(asker,
             {"self/ns/user", "self/ns/uts", "self/ns/ipc", "self/ns/cgroup", "self/ns/net"});
}

void Pid1::answer(const GetTcpTables&, const Asker& asker) {
  give_files(asker, {"self/net/tcp", "self/net/tcp6"});
}

void Pid1::answer(const Dial& request, const Asker& asker) {
  const UniqueFd socket = dial(request);
  const int fd = socket.get();
  tell(asker.reply, ControlReply(Done{}), {&fd, socket ? 1U : 0U});
}

// Opened when they are asked for, because few sandboxes ever are. Without IPv6 there is no tcp6.
void Pid1::give_files(const Asker& asker, std::initializer_list<const char*> paths) const {
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  for (const char* path : paths) {
    UniqueFd file(::openat(commands_.proc(), path, O_RDONLY | O_CLOEXEC));
    if (!file && errno == ENOENT) continue;
    fds.push_back(check(file.get(), "openat", path));
    owned.push_back(std::move(file));
  }
  tell(asker.reply, ControlReply(Done{}), fds);
}

void Pid1::set_ttl(uint64_t ttl_ms) {
  ttl_ms_ = ttl_ms;
  ttl_over_ = false;
  end_ = ttl_ms == 0 ? Clock::time_point::max() : deadline_after(std::chrono::milliseconds(ttl_ms));
}

// A sandbox that cannot be paused must not run on either.
void Pid1::end_ttl() {
  end_ = Clock::time_point::max();
  ttl_over_ = true;
  ending_ = ttl_action_ == TtlAction::Kill || !commands_.freeze();
}

}  // namespace sandbox
