#pragma once

#include "runtime/init/launch_request.h"
#include "runtime/init/setup_report.h"
#include "sandbox/unique_fd.h"

namespace sandbox {

/// What PID 1 has in hand once it is confined.
struct SetUp {
  UniqueFd root;  ///< O_PATH descriptor of "/".
  UniqueFd proc;  ///< A procfs that shows every process of the sandbox.
  UniqueFd sudo_listener;
  Ready report;
};

/// A set-up that failed: an Error and the step it happened in.
class SetUpError : public Error {
 public:
  SetUpError(std::string step, const Error& cause) : Error(cause), step_(std::move(step)) {}
  const std::string& step() const noexcept { return step_; }

 private:
  std::string step_;
};

/// Turns the calling process, PID 1 of new namespaces with all capabilities in them, into the
/// confined init of a sandbox. `maps_written` becomes readable when somebody else has written our
/// id maps; -1 when we write them ourselves. Throws SetUpError; the process must then exit.
SetUp set_up(const LaunchRequest& request, int maps_written);

}  // namespace sandbox
