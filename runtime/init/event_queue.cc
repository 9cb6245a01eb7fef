#include "runtime/init/event_queue.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "sandbox/error.h"

namespace sandbox {

EventQueue::EventQueue() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void EventQueue::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void EventQueue::unwatch(int fd) {
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
}

std::span<const int> EventQueue::wait(int timeout_ms) {
  std::array<epoll_event, std::tuple_size_v<decltype(ready_)>> events{};
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count < 0 && errno != EINTR) throw Error(errno, "epoll_wait", {});
  const auto ready = std::span(events).first(static_cast<std::size_t>(std::max(count, 0)));
  std::transform(ready.begin(), ready.end(), ready_.begin(),
                 [](const epoll_event& event) { return event.data.fd; });
  return std::span(ready_).first(ready.size());
}

}  // namespace sandbox
