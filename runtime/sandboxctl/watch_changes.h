#pragma once

#include <string>

#include "runtime/sandboxctl/signals.h"
#include "sandbox/watcher.h"

namespace sandboxctl {

/// How changes are printed, and what ends that.
struct WatchDisplay {
  std::string subject{};   ///< `ID:PATH`, for messages.
  bool json = false;       ///< A document a line.
  int sandbox_pidfd = -1;  ///< Readable when the sandbox has ended.
};

/// Prints changes to stdout as they happen until a signal comes. Throws Failure (125) when the
/// watcher ends before: because of the sandbox, or because the directory is not there any more.
void print_changes(sandbox::Watcher& watcher, const SignalInbox& inbox,
                   const WatchDisplay& display);

/// `create  a/b`, or the same as JSON; with a newline.
std::string change_line(const sandbox::WatchEvent& event, bool json);

}  // namespace sandboxctl
