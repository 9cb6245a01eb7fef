#include "runtime/sandboxctl/watch_changes.h"

#include <poll.h>

#include <cerrno>

#include "runtime/sandboxctl/document.h"
#include "runtime/sandboxctl/messages.h"
#include "runtime/sandboxctl/terminal.h"
#include "runtime/sandboxctl/text.h"

namespace sandboxctl {
namespace {

using sandbox::WatchEvent;
using sandbox::WatchEventType;

const char* type_name(WatchEventType type) {
  switch (type) {
    case WatchEventType::Create:
      return "create";
    case WatchEventType::Write:
      return "write";
    case WatchEventType::Remove:
      return "remove";
    case WatchEventType::Rename:
      return "rename";
    case WatchEventType::Chmod:
      return "chmod";
    case WatchEventType::Rescan:
      return "rescan";
  }
  return "";
}

// All that has come, in one write, so that a reader of lines is not woken for each.
void print(sandbox::Watcher& watcher, bool json) {
  std::string text;
  for (const WatchEvent& event : watcher.drain()) text += change_line(event, json);
  print_output(text);
}

Failure ended(const WatchDisplay& display, const char* reason) {
  return {kFailed, {.doing = "watching", .subject = display.subject, .reason = reason}};
}

}  // namespace

void print_changes(sandbox::Watcher& watcher, const SignalInbox& inbox,
                   const WatchDisplay& display) {
  while (true) {
    pollfd polled[] = {
        {inbox.fd(), POLLIN, 0}, {watcher.fd(), POLLIN, 0}, {display.sandbox_pidfd, POLLIN, 0}};
    if (::poll(polled, 3, -1) < 0 && errno != EINTR) throw system_failure("watching", "poll");
    print(watcher, display.json);
    if (inbox.next_ending()) return;
    if (polled[2].revents != 0) throw ended(display, "the sandbox has ended");
    if (watcher.ended()) throw ended(display, "the directory was removed or moved");
  }
}

std::string change_line(const WatchEvent& event, bool json) {
  if (!json) {
    std::string type = type_name(event.type);
    type.resize(8, ' ');
    return type + escape_for_terminal(event.name.empty() ? "." : event.name) + "\n";
  }
  nlohmann::ordered_json object{{"type", type_name(event.type)}};
  add_bytes(object, {{"name", event.name}});
  return dump_line(object);
}

}  // namespace sandboxctl
