#include "sandbox/watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "fs/acting.h"
#include "fs/file_ops.h"
#include "fs/sandbox_path.h"
#include "fs/watch_state.h"
#include "runtime/base/syscalls.h"
#include "sandbox/error.h"

namespace sandbox {
namespace {

// A watcher that nobody asks must not grow without end.
constexpr size_t kMaxEvents = 1 << 20;

void add_to(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  check(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

bool is_same(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_mnt_id == b.stx_mnt_id &&
         a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

}  // namespace

// Pollable are the kernel's events, which may be for any watcher, and those that another watcher's
// call has fetched for this one.
WatchState::WatchState(std::shared_ptr<const FilesContext> context, std::string path,
                       WatchOptions options)
    : context_(std::move(context)),
      hub_(context_->hub()),
      path_(std::move(path)),
      options_(std::move(options)),
      owner_(context_->owner(options_.user)),
      event_(check(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  path_ = absolute_path(path_, owner_);
  const Resolved top =
      FileOps(*context_->root(), owner_, context_->names()).resolve(path_, Symlinks::Follow);
  if (!S_ISDIR(top.status.stx_mode)) {
    throw Error(ENOTDIR, "watch", path_, "only directories can be watched");
  }
  identity_ = top.status;
  add_to(epoll_.get(), hub_->instance());
  add_to(epoll_.get(), event_.get());
  hub_->start(*this);
}

WatchState::~WatchState() { hub_->stop(*this); }

// From the path again: see the class. Whatever is swapped in its place is another directory.
UniqueFd WatchState::open(const std::string& name) const {
  try {
    const std::shared_ptr<const RootDir> root = context_->root();
    const Resolved top = root->resolve(path_, Symlinks::Follow);
    if (!is_same(top.status, identity_)) return {};
    constexpr uint64_t kResolve =
        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    constexpr uint64_t kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK;
    return acting::open(top.fd.get(), name.empty() ? "." : name.c_str(), kFlags, kResolve);
  } catch (const Error&) {
    return {};
  }
}

void WatchState::push(WatchEventType type, const std::string& name) {
  if (events_.empty()) signal();
  if (events_.size() >= kMaxEvents) {
    events_.clear();
    events_.push_back({WatchEventType::Rescan, {}, {}});
  }
  WatchEvent event{.type = type, .name = name};
  const bool wants_entry = options_.include_entry && type != WatchEventType::Remove &&
                           type != WatchEventType::Rename && type != WatchEventType::Rescan;
  if (wants_entry) {
    try {
      event.entry = FileOps(*context_->root(), owner_, context_->names()).stat(absolute(name));
    } catch (const Error&) {
      event.entry.reset();  // Gone, or behind a locked directory: the event stands.
    }
  }
  events_.push_back(std::move(event));
}

std::string WatchState::absolute(const std::string& name) const {
  return name.empty() ? path_ : join(path_, name);
}

void WatchState::signal() noexcept { static_cast<void>(::eventfd_write(event_.get(), 1)); }

void WatchState::clear_signal() noexcept {
  eventfd_t value = 0;
  static_cast<void>(::eventfd_read(event_.get(), &value));
}

Watcher::Watcher(std::unique_ptr<WatchState> state) noexcept : state_(std::move(state)) {}
Watcher::Watcher(Watcher&&) noexcept = default;
Watcher& Watcher::operator=(Watcher&&) noexcept = default;
Watcher::~Watcher() = default;

int Watcher::fd() const noexcept { return state_->pollable_fd(); }

std::vector<WatchEvent> Watcher::drain() {
  return state_->hub().take(*state_, std::numeric_limits<size_t>::max());
}

std::optional<WatchEvent> Watcher::next(std::optional<std::chrono::milliseconds> timeout) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  for (;;) {
    std::vector<WatchEvent> events = state_->hub().take(*state_, 1);
    if (!events.empty()) return std::move(events.front());
    if (ended()) return std::nullopt;
    int wait_ms = -1;
    if (timeout) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(start + *timeout - Clock::now());
      if (left.count() <= 0) return std::nullopt;
      wait_ms = static_cast<int>(std::min<int64_t>(left.count(), std::numeric_limits<int>::max()));
    }
    pollfd poll_fd{fd(), POLLIN, 0};
    if (::poll(&poll_fd, 1, wait_ms) < 0 && errno != EINTR) throw Error(errno, "poll", "watcher");
  }
}

void Watcher::run(const std::function<void(const WatchEvent&)>& callback) {
  while (const std::optional<WatchEvent> event = next()) callback(*event);
}

void Watcher::stop() noexcept { state_->hub().stop(*state_); }

bool Watcher::ended() const noexcept { return state_->hub().ended(*state_); }

}  // namespace sandbox
