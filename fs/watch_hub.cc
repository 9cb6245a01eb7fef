#include "fs/watch_hub.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "fs/acting.h"
#include "fs/dir_stack.h"
#include "fs/fs_identity.h"
#include "fs/root_dir.h"
#include "fs/watch_state.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

constexpr uint32_t kMask = IN_CREATE | IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

WatchEventType type_of(uint32_t mask) {
  if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) return WatchEventType::Create;
  if ((mask & IN_MOVED_FROM) != 0) return WatchEventType::Rename;
  if ((mask & IN_ATTRIB) != 0) return WatchEventType::Chmod;
  if ((mask & IN_MODIFY) != 0) return WatchEventType::Write;
  return WatchEventType::Remove;
}

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + '/' + name;
}

bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

}  // namespace

int WatchHub::instance() {
  const std::lock_guard lock(mutex_);
  if (inotify_) return inotify_.get();
  inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_) {
    throw Error(errno, "inotify_init1", "", "raise fs.inotify.max_user_instances with sysctl");
  }
  return inotify_.get();
}

// What happened before must not reach the new watcher through a directory that others watch.
void WatchHub::start(WatchState& state) {
  const std::lock_guard lock(mutex_);
  distribute();
  states_.insert(&state);
  try {
    add_tree(state, "", Report::Nothing);
    if (state.directories_.empty()) throw Error(ENOENT, "watch", state.path_);
  } catch (const Error&) {
    end(state);
    throw;
  }
}

void WatchHub::stop(WatchState& state) noexcept {
  const std::lock_guard lock(mutex_);
  end(state);
}

void WatchHub::stop_all(const FilesContext& context) noexcept {
  const std::lock_guard lock(mutex_);
  for (auto at = states_.begin(); at != states_.end();) {
    WatchState& state = **at++;  // end() takes it out of the set.
    if (state.context_.get() == &context) end(state);
  }
}

bool WatchHub::ended(const WatchState& state) noexcept {
  const std::lock_guard lock(mutex_);
  return state.ended_;
}

std::vector<WatchEvent> WatchHub::take(WatchState& state, size_t limit) {
  const std::lock_guard lock(mutex_);
  if (!state.ended_) distribute();
  const auto count = static_cast<ptrdiff_t>(std::min(limit, state.events_.size()));
  const auto end = state.events_.begin() + count;
  std::vector<WatchEvent> taken(std::make_move_iterator(state.events_.begin()),
                                std::make_move_iterator(end));
  state.events_.erase(state.events_.begin(), end);
  if (state.events_.empty() && !state.ended_) state.clear_signal();
  return taken;
}

void WatchHub::end(WatchState& state) noexcept {
  while (!state.directories_.empty()) unsubscribe(state, state.directories_.begin()->second);
  state.found_.clear();
  states_.erase(&state);
  if (std::exchange(state.ended_, true)) return;
  state.signal();  // For good: poll(2) then returns at once, and ended() tells why.
}

// Appends what the kernel has to the batch. False when it had more than fits at once.
bool WatchHub::read_events() {
  alignas(inotify_event) char buffer[64 << 10];
  for (int reads = 0; reads < 64; ++reads) {
    const ssize_t length = ::read(inotify_.get(), buffer, sizeof buffer);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return true;
    check(length, "read", "inotify");
    for (const char* at = buffer; at < buffer + length;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      batch_.push_back({event->wd, event->mask, event->cookie, event->len > 0 ? event->name : ""});
    }
  }
  return false;
}

void WatchHub::distribute() {
  if (!inotify_) return;
  batch_.clear();
  ++batch_number_;
  const bool all = read_events();
  for (at_ = 0; at_ < batch_.size(); ++at_) {
    const RawEvent event = batch_[at_];  // A copy: looking for other halves may grow the batch.
    if ((event.mask & IN_Q_OVERFLOW) != 0) overflow();
    const auto found = subscribers_.find(event.watch);
    if (found == subscribers_.end()) continue;
    const std::vector<Subscriber> subscribers = found->second;  // They may go while we deliver.
    for (const Subscriber& subscriber : subscribers) deliver(event, subscriber);
  }
  if (!all) return;
  for (WatchState* state : states_) {
    std::erase_if(state->found_,
                  [this](const auto& entry) { return entry.second.batch < batch_number_; });
  }
}

void WatchHub::deliver(const RawEvent& event, const Subscriber& to) {
  WatchState& state = *to.state;
  if (state.ended_) return;
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
    if (!to.path.empty()) return;  // Its parent is watched too, and tells by name.
    const bool moved = (event.mask & IN_MOVE_SELF) != 0;
    state.push(moved ? WatchEventType::Rename : WatchEventType::Remove, "");
    end(state);
  } else if ((event.mask & IN_IGNORED) != 0) {
    unsubscribe(state, event.watch);
    if (to.path.empty()) end(state);
  } else if (!event.name.empty()) {
    deliver_named(event, to);
  }
}

void WatchHub::deliver_named(const RawEvent& event, const Subscriber& to) {
  WatchState& state = *to.state;
  const std::string path = below(to.path, event.name);
  const bool directory = (event.mask & IN_ISDIR) != 0 && state.options_.recursive;
  const bool appeared = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
  if (is_known(event, state)) {
    // Found already. A rename over it cannot be told from the one that made it: content changed.
    if ((event.mask & IN_MOVED_TO) != 0) state.push(WatchEventType::Write, path);
    return;
  }
  state.push(type_of(event.mask), path);
  if (!directory) return;
  if ((event.mask & IN_MOVED_FROM) != 0) leave_directory(event, state, path);
  if ((event.mask & IN_DELETE) != 0) forget_tree(state, path);
  const bool renamed_here = (event.mask & IN_MOVED_TO) != 0 && state.directories_.contains(path);
  if (appeared && !renamed_here) add_tree_or_tell(state, path, Report::Everything);
}

// True for the news that looking into the directory has told already.
bool WatchHub::is_known(const RawEvent& event, WatchState& state) {
  constexpr uint32_t kNames = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
  if ((event.mask & kNames) == 0) return false;
  const auto found = state.found_.find(event.watch);
  if (found == state.found_.end()) return false;
  const bool was_found = found->second.names.erase(event.name) > 0;
  return was_found && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
}

// A directory that is renamed inside the watched tree keeps its watches, under its new path; one
// that leaves it loses them.
void WatchHub::leave_directory(const RawEvent& event, WatchState& state, const std::string& path) {
  if (const RawEvent* arrival = other_half(event.cookie)) {
    const auto found = subscribers_.find(arrival->watch);
    if (found != subscribers_.end()) {
      for (const Subscriber& subscriber : found->second) {
        if (subscriber.state != &state) continue;
        const std::string to = below(subscriber.path, arrival->name);
        return rename_tree(state, path, to);
      }
    }
  }
  forget_tree(state, path);
}

// The kernel queues the two halves of a rename right after each other, so the second is in the
// batch, or comes within microseconds.
const WatchHub::RawEvent* WatchHub::other_half(uint32_t cookie) {
  for (int tries = 0; tries < 2; ++tries) {
    for (size_t at = at_ + 1; at < batch_.size(); ++at) {
      const RawEvent& event = batch_[at];
      if ((event.mask & IN_MOVED_TO) != 0 && event.cookie == cookie) return &event;
    }
    if (tries > 0 || at_ + 1 < batch_.size()) break;
    pollfd poll_fd{inotify_.get(), POLLIN, 0};
    if (::poll(&poll_fd, 1, 1) > 0) read_events();
  }
  return nullptr;
}

// The kernel dropped events of any of the directories. Watches of directories that came meanwhile
// are added, those of directories that went are dropped, and the watcher is told to list again.
void WatchHub::overflow() {
  const std::set<WatchState*> states = states_;
  for (WatchState* state : states) {
    state->push(WatchEventType::Rescan, "");
    const std::map<std::string, int> before = std::exchange(state->directories_, {});
    add_tree_or_tell(*state, "", Report::Nothing);
    std::set<int> still;
    for (const auto& [path, watch] : state->directories_) still.insert(watch);
    for (const auto& [path, watch] : before) {
      if (!still.contains(watch)) unsubscribe(*state, watch);
    }
  }
}

// The watch first, then the look inside: what is made in between is seen twice rather than never.
void WatchHub::add_tree(WatchState& state, const std::string& path, Report report) {
  const FsIdentity as_owner(state.owner_);
  std::vector<std::string> waiting{path};
  while (!waiting.empty()) {
    const std::string directory = std::move(waiting.back());
    waiting.pop_back();
    const UniqueFd dir = state.open(directory);
    if (!dir) continue;
    const int watch = add_watch(state, dir.get(), directory);
    if (!state.options_.recursive) continue;
    for (std::string& name : look_into(state, dir.get(), watch, directory, report)) {
      waiting.push_back(std::move(name));
    }
  }
}

// Out of watches: what is below stays unwatched, and the watcher has to know.
void WatchHub::add_tree_or_tell(WatchState& state, const std::string& path, Report report) {
  try {
    add_tree(state, path, report);
  } catch (const Error&) {
    state.push(WatchEventType::Rescan, path);
  }
}

int WatchHub::add_watch(WatchState& state, int dir, const std::string& path) {
  if (state.directories_.size() >= state.options_.max_directories) {
    throw Error(ENOSPC, "watch", state.absolute(path), "more directories than max_directories");
  }
  const int watch = acting::add_watch(inotify_.get(), dir, kMask);
  if (watch < 0) {
    throw Error(errno, "inotify_add_watch", state.absolute(path),
                errno == ENOSPC ? "raise fs.inotify.max_user_watches with sysctl" : "");
  }
  subscribe(state, watch, path);
  return watch;
}

// Gives the sub-directories. What is there already is news if the directory is.
std::vector<std::string> WatchHub::look_into(WatchState& state, int dir, int watch,
                                             const std::string& path, Report report) {
  std::vector<std::string> directories;
  DirNames names(dir, DirNames::Order::Lexical, UINT32_MAX);
  while (const char* name = names.next()) {
    struct stat status = {};
    if (!acting::status(dir, name, status)) continue;
    const std::string entry = below(path, name);
    if (S_ISDIR(status.st_mode)) directories.push_back(entry);
    if (report == Report::Nothing) continue;
    state.push(WatchEventType::Create, entry);
    if (S_ISREG(status.st_mode) && status.st_size > 0) state.push(WatchEventType::Write, entry);
    WatchState::Found& found = state.found_[watch];
    found.names.insert(name);
    found.batch = batch_number_;
  }
  return directories;
}

void WatchHub::subscribe(WatchState& state, int watch, const std::string& path) {
  state.directories_[path] = watch;
  std::vector<Subscriber>& subscribers = subscribers_[watch];
  for (Subscriber& subscriber : subscribers) {
    if (subscriber.state != &state) continue;
    const auto old = state.directories_.find(subscriber.path);
    if (old != state.directories_.end() && old->first != path && old->second == watch) {
      state.directories_.erase(old);
    }
    subscriber.path = path;
    return;
  }
  subscribers.push_back({&state, path});
}

void WatchHub::unsubscribe(WatchState& state, int watch) noexcept {
  state.found_.erase(watch);
  const auto found = subscribers_.find(watch);
  if (found == subscribers_.end()) {
    std::erase_if(state.directories_, [watch](const auto& entry) { return entry.second == watch; });
    return;
  }
  for (const Subscriber& subscriber : found->second) {
    if (subscriber.state != &state) continue;
    const auto path = state.directories_.find(subscriber.path);
    if (path != state.directories_.end() && path->second == watch) state.directories_.erase(path);
  }
  std::erase_if(found->second, [&](const Subscriber& entry) { return entry.state == &state; });
  if (!found->second.empty()) return;
  subscribers_.erase(found);
  ::inotify_rm_watch(inotify_.get(), watch);  // EINVAL when the kernel has dropped it: IN_IGNORED.
}

void WatchHub::forget_tree(WatchState& state, const std::string& path) {
  std::vector<int> watches;
  for (const auto& [directory, watch] : state.directories_) {
    if (directory == path || is_below(directory, path)) watches.push_back(watch);
  }
  for (const int watch : watches) unsubscribe(state, watch);
}

void WatchHub::rename_tree(WatchState& state, const std::string& from, const std::string& to) {
  std::vector<std::pair<std::string, int>> moved;
  for (const auto& [directory, watch] : state.directories_) {
    if (directory == from || is_below(directory, from)) moved.emplace_back(directory, watch);
  }
  for (const auto& [directory, watch] : moved) {
    subscribe(state, watch, to + directory.substr(from.size()));
  }
}

}  // namespace sandbox
