#include "runtime/init/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/duplicate_fd.h"
#include "runtime/base/pipe.h"
#include "runtime/base/syscalls.h"
#include "runtime/init/file_agent_process.h"
#include "runtime/init/id_map_helper.h"
#include "runtime/init/pid1.h"
#include "runtime/init/set_up.h"
#include "runtime/init/setup_report.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// All but the network namespace, which the child has made beside its other work, and the cgroup
// namespace, whose root is the cgroup of who makes it: of this process, if not of the child itself.
constexpr uint64_t kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

// The descriptors that a child goes on with.
struct Inherited {
  UniqueFd control;
  UniqueFd maps_written;         // Readable when a privileged helper has written the id maps.
  UniqueFd listener;             // Of a detached sandbox.
  std::vector<UniqueFd> cgroup;  // As payload_cgroup.h has them; none without a cgroup.
  std::vector<UniqueFd> locks;   // Held, and never looked at.
};

void report(const MessageSocket& control, const SetupReport& report,
            std::span<const int> fds = {}) {
  control.send(encode(report), fds);
}

// A range map is written while the child waits.
void write_maps(const LaunchRequest& request, pid_t child, const Pipe& maps_written) {
  if (request.map_writer == MapWriter::Self) return;
  if (request.map_writer == MapWriter::Newuidmap) {
    run_newuidmap(child, request.ids);
  } else {
    const std::string path = "/proc/" + std::to_string(child);
    const UniqueFd proc{
        check(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open", path)};
    request.ids.write(proc.get());
  }
  check(::write(maps_written.writer.get(), "", 1), "write", "id maps");
}

void write_maps_or_kill(const LaunchRequest& request, pid_t child, int pidfd,
                        const Pipe& maps_written) {
  try {
    write_maps(request, child, maps_written);
  } catch (const Error&) {
    pidfd_send_signal(pidfd, SIGKILL);
    throw;
  }
}

UniqueFd take_listener(const LaunchRequest& request, std::vector<UniqueFd>& fds) {
  if (!request.has_listener) return UniqueFd();
  if (fds.empty()) throw Error(EBADMSG, "launch", "descriptors");
  UniqueFd listener = std::move(fds.front());
  fds.erase(fds.begin());
  return listener;
}

std::vector<UniqueFd> take_cgroup(const LaunchRequest& request, std::vector<UniqueFd>& fds) {
  if (!request.has_cgroup) return {};
  if (fds.size() < PayloadCgroup::kDescriptors) throw Error(EBADMSG, "launch", "descriptors");
  const auto end = fds.begin() + PayloadCgroup::kDescriptors;
  std::vector<UniqueFd> cgroup(std::make_move_iterator(fds.begin()), std::make_move_iterator(end));
  fds.erase(fds.begin(), end);
  return cgroup;
}

std::vector<UniqueFd*> all_of(Inherited& inherited) {
  std::vector<UniqueFd*> all{&inherited.control, &inherited.maps_written, &inherited.listener};
  for (UniqueFd& fd : inherited.cgroup) all.push_back(&fd);
  for (UniqueFd& lock : inherited.locks) all.push_back(&lock);
  std::erase_if(all, [](const UniqueFd* fd) { return !*fd; });
  return all;
}

// Closes every other descriptor. First those to keep go out of the way of each other, then to the
// lowest numbers.
void keep_only(Inherited& inherited) {
  constexpr int kFirst = 3;
  constexpr int kOutOfTheWay = kFirst + static_cast<int>(kMaxMessageFds) + 1;
  const std::vector<UniqueFd*> all = all_of(inherited);
  for (UniqueFd* fd : all) *fd = duplicate(fd->get(), {}, kOutOfTheWay);
  int next = kFirst;
  for (UniqueFd* fd : all) fd->reset(check(::dup3(fd->get(), next++, O_CLOEXEC), "dup3"));
  check(::close_range(static_cast<unsigned>(next), ~0U, 0), "close_range");
}

std::optional<SetUp> set_up_or_report(const LaunchRequest& request, int maps_written,
                                      const MessageSocket& control) {
  try {
    return set_up(request, maps_written);
  } catch (const SetUpError& error) {
    report(control, SetupFailed::from(error.step(), error));
    return std::nullopt;
  }
}

// The credentials that a connecting process sees (SO_PEERCRED) are those of who called listen(2).
void listen_for_clients(const UniqueFd& listener) {
  constexpr int kBacklog = 128;
  if (listener) check(::listen(listener.get(), kBacklog), "listen", "control socket");
}

void live_as_init(LaunchRequest request, Inherited inherited) {
  keep_only(inherited);
  listen_for_clients(inherited.listener);
  MessageSocket control(std::move(inherited.control));
  std::optional<SetUp> ready = set_up_or_report(request, inherited.maps_written.get(), control);
  if (!ready) return;
  inherited.maps_written.reset();
  const int root = ready->root.get();
  report(control, std::move(ready->report), {&root, 1});
  if (!inherited.listener) ready->root.reset();  // Nobody will ever ask for it.
  Pid1 init({.owner = std::move(control),
             .listener = std::move(inherited.listener),
             .root = std::move(ready->root),
             .ttl_ms = request.ttl_ms,
             .ttl_action = request.ttl_action,
             .commands = {.proc = std::move(ready->proc),
                          .command_filter = std::move(request.deny_filter),
                          .can_change_ids = request.map_writer != MapWriter::Self,
                          .cgroup = request.has_cgroup ? PayloadCgroup(std::move(inherited.cgroup))
                                                       : PayloadCgroup(),
                          .limits = request.limits,
                          .rlimits = request.rlimits},
             .sudo_listener = std::move(ready->sudo_listener),
             .sudo_user = request.sudo_user});
  init.run();
}

[[noreturn]] void child_main(LaunchRequest request, Inherited inherited) {
  try {
    live_as_init(std::move(request), std::move(inherited));
  } catch (const std::exception&) {
    // The host is gone or sent what it never sends: there is nobody to tell.
  }
  // Not exit(3): the destructors of the launcher's copy are not ours to run.
  ::_exit(EXIT_SUCCESS);
}

// Its parent's descriptors are closed but for those that it owns; it needs no others.
[[noreturn]] void file_agent_main(MessageSocket host, std::vector<UniqueFd> namespaces) {
  try {
    run_file_agent(host, namespaces);
  } catch (const std::exception&) {
    // The host sees the end of the connection.
  }
  ::_exit(EXIT_SUCCESS);
}

// The host may have given up on this sandbox; the launcher goes on for the others.
void tell_failure(const MessageSocket& control, const SetupFailed& failed) {
  try {
    report(control, failed);
  } catch (const Error& error) {
    if (error.code().value() != EPIPE) throw;
  }
}

void reap_children(const ChildSignal& child_signal) {
  child_signal.drain();
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// `cgroup` is where it is born, if there is one: every page of its set-up is counted there.
pid_t clone_child(UniqueFd& pidfd, const std::vector<UniqueFd>& cgroup) {
  int pidfd_number = -1;
  clone_args args{};
  args.flags = kNamespaces | CLONE_PIDFD;
  if (cgroup.empty()) {
    args.flags |= CLONE_NEWCGROUP;
  } else {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup.front().get());
  }
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd_number);
  args.exit_signal = SIGCHLD;
  const char* subject = cgroup.empty() ? "namespaces" : "namespaces, cgroup";
  const pid_t pid = check(clone3(args), "clone3", subject);
  pidfd.reset(pidfd_number);
  return pid;
}

}  // namespace

Launcher::Launcher(MessageSocket host) : host_(std::move(host)) {}

void Launcher::run() {
  std::array<pollfd, 2> waiting{{{host_.fd(), POLLIN, 0}, {child_signal_.fd(), POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(waiting.data(), waiting.size(), -1);
    if (ready < 0 && errno != EINTR) throw Error(errno, "poll", "launcher");
    if (waiting[1].revents != 0) reap_children(child_signal_);
    if (waiting[0].revents == 0) continue;
    std::optional<Message> message = host_.receive();
    if (!message) return;
    if (message->payload.empty()) {
      start_file_agent(std::move(*message));
    } else {
      launch(std::move(*message));
    }
  }
}

// Closing the message's descriptors is all there is to say when it fails.
void Launcher::start_file_agent(Message message) {
  if (refusal_ || message.fds.size() < 2) return;
  if (::fork() != 0) return;
  MessageSocket host{std::move(message.fds.front())};
  message.fds.erase(message.fds.begin());
  // The launcher's connection would otherwise seem alive when the launcher is not.
  host_ = MessageSocket();
  file_agent_main(std::move(host), std::move(message.fds));
}

void Launcher::launch(Message message) {
  if (message.fds.empty()) throw Error(EBADMSG, "launch", "descriptors");
  MessageSocket control{std::move(message.fds.front())};
  message.fds.erase(message.fds.begin());
  if (refusal_) return tell_failure(control, *refusal_);
  const char* step = "clone3";
  try {
    LaunchRequest request = LaunchRequest::decode(message.payload);
    const bool wait_for_maps = request.map_writer != MapWriter::Self;
    Inherited inherited;
    inherited.listener = take_listener(request, message.fds);
    inherited.cgroup = take_cgroup(request, message.fds);
    inherited.locks = std::move(message.fds);
    Pipe maps_written = wait_for_maps ? make_pipe() : Pipe{};
    UniqueFd pidfd;
    const pid_t child = clone_child(pidfd, inherited.cgroup);
    if (child == 0) {
      inherited.control = control.release();
      inherited.maps_written = std::move(maps_written.reader);
      child_main(std::move(request), std::move(inherited));
    }

    step = "ids";
    write_maps_or_kill(request, child, pidfd.get(), maps_written);
    const int fd = pidfd.get();
    report(control, Cloned{child}, {&fd, 1});
  } catch (const Error& error) {
    tell_failure(control, SetupFailed::from(step, error));
  }
}

}  // namespace sandbox
