#pragma once

#include <string>

#include "runtime/sandboxctl/messages.h"
#include "sandbox/runtime.h"

namespace sandboxctl {

/// Starting, making and finding sandboxes for the verbs: what fails becomes a Failure that says
/// what we were doing, and points to the doctor when it is about the machine.

sandbox::Runtime start_runtime();

sandbox::Sandbox create_sandbox(sandbox::Runtime& runtime, const sandbox::SandboxOptions& options);

/// Why `id_or_name` could not be found or used.
Failure sandbox_failure(const std::string& id_or_name, const sandbox::Error& error);

sandbox::Sandbox attach_sandbox(sandbox::Runtime& runtime, const std::string& id_or_name);

}  // namespace sandboxctl
