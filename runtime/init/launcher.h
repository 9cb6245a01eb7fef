#pragma once

#include <optional>
#include <utility>

#include "runtime/base/child_signal.h"
#include "runtime/base/message_socket.h"
#include "runtime/init/launch_request.h"
#include "runtime/init/setup_report.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// Makes sandboxes for one host process, so that no copy of the host's memory ever enters one.
///
/// Small and single-threaded: between clone3(2) and execve(2) ordinary code may run here. Ends when
/// the host closes its end of the socket or dies.
class Launcher {
 public:
  explicit Launcher(MessageSocket host);

  /// From now on answers every request with `failure`, so that the host learns why.
  void refuse(SetupFailed failure) { refusal_ = std::move(failure); }

  /// Returns at end of file.
  void run();

 private:
  void launch(Message message);
  void start_file_agent(Message message);

  MessageSocket host_;
  ChildSignal child_signal_;
  std::optional<SetupFailed> refusal_;
};

}  // namespace sandbox
