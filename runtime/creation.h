#pragma once

#include <optional>
#include <span>

#include "runtime/base/message_socket.h"
#include "runtime/init/launch_request.h"
#include "runtime/init/setup_report.h"
#include "runtime/launcher_client.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// A sandbox whose PID 1 is ready, before anything is known of it but its descriptors.
struct Creation {
  MessageSocket control;
  pid_t host_pid = 0;
  UniqueFd pidfd;
  UniqueFd root;  ///< O_PATH, of its "/".
  Ready ready;
};

/// Has the launcher make a sandbox and waits until it is ready. `passed` are the descriptors that
/// follow the control connection, launch_request.h. Throws Error with what to change.
Creation launch(LauncherClient& launcher, const LaunchRequest& request,
                std::span<const int> passed);

}  // namespace sandbox
